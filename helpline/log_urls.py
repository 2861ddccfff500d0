"""The log, for whoever reviews it: what was read and done, never a word of a case."""

from django.urls import path

from helpline import log_review_views as reviews
from helpline import log_views

app_name = "log"
urlpatterns = [
    path("", log_views.log_list, name="list"),
    path("reviews/", reviews.review_list, name="review-list"),
    path("reviews/<int:pk>/", reviews.review, name="review"),
    path("reviews/<int:pk>/sign/", reviews.review_sign, name="review-sign"),
]

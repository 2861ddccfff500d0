"""The unit manager's overview."""

from django.urls import path

from helpline import caseload_views as views

urlpatterns = [
    path("", views.caseload, name="caseload"),
    path("<str:key>/", views.caseload_rows, name="caseload-rows"),
]

"""The streets of extracts."""

from django.urls import path

from helpline.extract import views

urlpatterns = [
    path("cases/<str:code>/people/<uuid:pk>/extract/", views.extract, name="extract"),
    path("calls/<uuid:pk>/extract/", views.extract_call, name="extract-call"),
    path("extracts/<uuid:pk>/", views.extract_read, name="extract-read"),
    path("extracts/<uuid:pk>/make/", views.extract_make, name="extract-make"),
]

"""What is deleted by law: what is due, lists and their records."""

from django.urls import path

from helpline import disposal_views as views

app_name = "disposals"
urlpatterns = [
    path("", views.disposal_list, name="disposal-list"),
    path("propose/", views.disposal_propose, name="disposal-propose"),
    path("<int:pk>/", views.disposal, name="disposal"),
    path("<int:pk>/approve/", views.disposal_approve, name="disposal-approve"),
    path("<int:pk>/refuse/", views.disposal_refuse, name="disposal-refuse"),
    path("<int:pk>/record/", views.disposal_record, name="disposal-record"),
    path("keep/<str:code>/", views.case_keep, name="case-keep"),
]

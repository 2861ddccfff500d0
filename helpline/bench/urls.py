"""The street map of production, and the floor."""

from django.urls import include, path

from helpline import urls as plain

urlpatterns = [path("floor/", include("helpline.bench.floor_urls")), *plain.urlpatterns]
handler400, handler403 = plain.handler400, plain.handler403
handler404, handler500 = plain.handler404, plain.handler500

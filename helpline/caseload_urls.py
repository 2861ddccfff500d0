"""The unit manager's overview."""

from django.urls import path

from helpline import caseload_views as views
from helpline import fresh, over_time_views, spread_views

urlpatterns = [
    path("", views.caseload, name="caseload"),
    path("now/", fresh.caseload_now, name="caseload-now"),
    path("over-time/", over_time_views.over_time, name="over-time"),
    path("promise/", views.promise_counted, name="promise"),
    path("workers/<int:pk>/", views.worker_week, name="worker-week"),
    path("workers/<int:pk>/spread/", spread_views.spread, name="spread"),
    path("cases/<str:code>/step/", views.case_step, name="case-step"),
    path("rows/<str:key>/", views.caseload_rows, name="caseload-rows"),
]

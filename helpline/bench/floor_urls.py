"""The streets of the floor."""

from django.urls import path

from helpline.bench import floor

urlpatterns = [
    path("steps/", floor.steps),
    path("cases/", floor.cases),
    path("case/<uuid:pk>/", floor.case),
    path("call/<uuid:pk>/", floor.call),
    path("overview/", floor.overview),
    path("referrals/", floor.referrals),
    path("inbox/", floor.inbox),
    path("search/", floor.search),
    path("start/", floor.start),
    path("call/<uuid:pk>/save/", floor.save),
    path("call/<uuid:pk>/complete/", floor.complete),
    path("case/<uuid:pk>/note/", floor.note),
]

"""The streets of the second floor that staff walk."""

from django.urls import path

from referrals.views import agencies, compose, owner

app_name = "referrals"
urlpatterns = [
    path("handovers/", owner.referral_list, name="list"),
    path("agencies/", agencies.agency_list, name="agency-list"),
    path("cases/<str:code>/refer/", compose.choose, name="choose"),
    path("handovers/<uuid:pk>/", compose.referral, name="referral"),
    path("handovers/<uuid:pk>/send/", compose.referral_send, name="send"),
    path("handovers/<uuid:pk>/discard/", compose.referral_discard, name="discard"),
    path("handovers/<uuid:pk>/answer/", owner.referral_answer, name="answer"),
    path("handovers/<uuid:pk>/take-back/", owner.referral_take_back, name="take-back"),
    path("handovers/<uuid:pk>/contact/", owner.referral_contact, name="contact"),
    path("handovers/<uuid:pk>/complete/", owner.referral_complete, name="complete"),
]

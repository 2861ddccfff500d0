"""The partner agency's whole world."""

from django.urls import path

from referrals.views import portal

app_name = "portal"
urlpatterns = [
    path("", portal.inbox, name="inbox"),
    path("<uuid:pk>/", portal.referral, name="referral"),
    path("<uuid:pk>/accept/", portal.referral_accept, name="accept"),
    path("<uuid:pk>/decline/", portal.referral_decline, name="decline"),
    path("<uuid:pk>/ask/", portal.referral_ask, name="ask"),
    path("<uuid:pk>/contact/", portal.referral_contact, name="contact"),
    path("<uuid:pk>/complete/", portal.referral_complete, name="complete"),
]

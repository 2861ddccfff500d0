"""The streets of the second floor that staff walk."""

from django.urls import path

from referrals.views import (
    acting,
    agencies,
    asking,
    compose,
    consents,
    exchange,
    looks,
    owner,
    papers,
    pre_questions,
    signposts,
)
from referrals.views.owner_acts import ACTS

app_name = "referrals"
urlpatterns = [
    path("handovers/", owner.referral_list, name="list"),
    path("agencies/", agencies.agency_list, name="agency-list"),
    path("cases/<str:code>/refer/", compose.choose, name="choose"),
    path("cases/<str:code>/ask-first/", pre_questions.ask, name="ask-first"),
    path("cases/<str:code>/signpost/<int:agency>/<str:need>/", signposts.case_signpost, name="case-signpost"),
    path("calls/<uuid:pk>/signpost/<int:agency>/<str:need>/", signposts.call_signpost, name="call-signpost"),
    path(
        "calls/<uuid:pk>/signpost/<int:agency>/<str:need>/leave/",
        signposts.call_signpost_leave,
        name="call-signpost-leave",
    ),
    path("handovers/<uuid:pk>/", compose.referral, name="referral"),
    path("handovers/<uuid:pk>/send/", compose.referral_send, name="send"),
    path("handovers/<uuid:pk>/discard/", compose.referral_discard, name="discard"),
    *(path(f"handovers/<uuid:pk>/{act.code}/", acting.view_of(act), name=act.code) for act in ACTS.values()),
    path("handovers/<uuid:pk>/caller/", asking.caller_says, name="caller-says"),
    path("handovers/<uuid:pk>/message/", exchange.message_send, name="message"),
    path("handovers/<uuid:pk>/message/read/", exchange.message_read, name="message-read"),
    path("handovers/<uuid:pk>/comment/", exchange.comment_answer, name="comment-answer"),
    path("cases/<str:code>/consents/<int:pk>/withdraw/", consents.consent_withdraw, name="consent-withdraw"),
    path("handovers/<uuid:pk>/pdf/", papers.paper_pdf, name="paper-pdf"),
    path("handovers/<uuid:pk>/text/", papers.paper_text, name="paper-text"),
    path("handovers/<uuid:pk>/look/", looks.look, name="look"),
]

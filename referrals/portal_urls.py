"""The partner agency's whole world."""

from django.urls import path

from referrals.portal_wall import all_walled
from referrals.views import agency_own, agency_people, looks, portal, portal_moves, portal_words, pre_questions

app_name = "portal"
_rows = [
    path("agency/", agency_own.agency, name="agency"),
    path("agency/room/", agency_own.agency_room, name="agency-room"),
    path("agency/away/", agency_own.agency_away, name="agency-away"),
    path("agency/away/<int:pk>/remove/", agency_own.agency_back, name="agency-back"),
    path("agency/hours/", agency_own.agency_hours, name="agency-hours"),
    path("agency/deputy/", agency_own.agency_deputy, name="agency-deputy"),
    path("agency/true/", agency_own.agency_true, name="agency-true"),
    path("people/", agency_people.people, name="people"),
    path("people/add/", agency_people.person_add, name="person-add"),
    path("people/<int:pk>/", agency_people.person_edit, name="person"),
    path("look/", looks.look_card, name="look-card"),
    path("look/accept/", looks.look_accept, name="look-accept"),
    path("look/decline/", looks.look_decline, name="look-decline"),
    path("look/ask/", looks.look_ask, name="look-ask"),
    path("look/said/", looks.look_said, name="look-said"),
    path("look/<str:token>/", looks.look_link, name="look"),
    path("pre/<str:token>/", pre_questions.pre, name="pre"),
    path("questions/", pre_questions.questions, name="questions"),
    path("questions/<uuid:pk>/", pre_questions.question_answer, name="question-answer"),
    path("", portal.inbox, name="inbox"),
    path("<uuid:pk>/", portal.referral, name="referral"),
    path("<uuid:pk>/confirm/", portal.referral_confirm, name="confirm"),
    path("<uuid:pk>/accept/", portal_moves.accept, name="accept"),
    path("<uuid:pk>/decline/", portal_moves.decline, name="decline"),
    path("<uuid:pk>/ask/", portal_moves.ask, name="ask"),
    path("<uuid:pk>/book/", portal_moves.book, name="book"),
    path("<uuid:pk>/tick/", portal_moves.tick, name="tick"),
    path("<uuid:pk>/contact/", portal_moves.contact, name="contact"),
    path("<uuid:pk>/miss/", portal_moves.miss, name="miss"),
    path("<uuid:pk>/hold/", portal_moves.wait, name="hold"),
    path("<uuid:pk>/resume/", portal_moves.resume, name="resume"),
    path("<uuid:pk>/complete/", portal_moves.complete, name="complete"),
    path("<uuid:pk>/return/", portal_moves.give_back, name="return"),
    path("<uuid:pk>/fail/", portal_moves.fail, name="fail"),
    path("<uuid:pk>/message/", portal_words.message, name="message"),
    path("<uuid:pk>/comment/", portal_words.comment, name="comment"),
    path("<uuid:pk>/asked-again/", portal_words.asked_again, name="asked-again"),
]
urlpatterns = all_walled(_rows)  # each reads behind the second wall

"""The streets of the first floor."""

from django.urls import path

from intake.views import calls, cases, day, steps

app_name = "intake"
urlpatterns = [
    path("my-day/", day.my_day, name="my-day"),
    path("notices/<uuid:pk>/", day.notice_open, name="notice-open"),
    path("calls/start/", calls.call_start, name="call-start"),
    path("calls/<uuid:pk>/", calls.call, name="call"),
    path("calls/<uuid:pk>/save/", calls.call_save, name="call-save"),
    path("calls/<uuid:pk>/complete/", calls.call_complete, name="call-complete"),
    path("calls/<uuid:pk>/quick/", calls.call_quick, name="call-quick"),
    path("calls/<uuid:pk>/void/", calls.call_void, name="call-void"),
    path("cases/", cases.case_list, name="case-list"),
    path("cases/<str:code>/", cases.case, name="case"),
    path("cases/<str:code>/reason/", cases.case_reason, name="case-reason"),
    path("cases/<str:code>/note/", cases.note_add, name="note-add"),
    path("cases/<str:code>/contact/", cases.contact_log, name="contact-log"),
    path("cases/<str:code>/concern/", cases.concern_register, name="concern-register"),
    path("cases/<str:code>/close/", cases.case_close, name="case-close"),
    path("cases/<str:code>/reassign/", cases.case_reassign, name="case-reassign"),
    path("cases/<str:code>/steps/", steps.step_plan, name="step-plan"),
    path("cases/<str:code>/steps/<uuid:pk>/done/", steps.step_done, name="step-done"),
    path("cases/<str:code>/steps/<uuid:pk>/move/", steps.step_move, name="step-move"),
]

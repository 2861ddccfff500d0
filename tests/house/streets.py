"""What every URL answers to every member of the cast: one table. A URL without a row fails the tests of the house.

A row says which answer each gets; whoever is not named gets 403, and who is not logged in is sent to the log-in.
Answers: a status; `in` (let in: a page, a redirect, or a form that is refused); `reason` (sent to give a reason first);
`unqualified` (it is there, and needs more than a role: 403).
"""

from dataclasses import dataclass, field

UNIT = "caseworker colleague manager"
OTHER_UNIT = "stranger other_manager"
STAFF = f"{UNIT} {OTHER_UNIT}"
PARTNERS = "partner other_partner"
EVERYBODY = f"{STAFF} {PARTNERS} keeper coordinator reviewer"
# Who comes by a link has no log-in: what a link that leads to nothing answers.
BY_LINK = {
    "intake:calendar-feed": 404,
    "portal:pre": 404,
    "portal:look": 404,
    "portal:look-card": 404,
    "portal:look-said": 404,
    "portal:look-accept": 405,
    "portal:look-decline": 405,
    "portal:look-ask": 405,
}
# Ways in: what each answers to who has not begun, and where no municipality's log-in is configured.
WAYS_IN = {
    **{"account_signup": 200, "mfa_authenticate": 302, "mfa_login_webauthn": 302},
    **{"sign_on_login": 405, "sign_on_callback": 404, "invitation": 404},
}
# One's own page: who it is comes before what is there (tests/people say that another's is absent).
ASKS_AGAIN = ("mfa_remove_webauthn", "account-end")
OPEN = {"health", "livez", "language", "account_login", "account_logout", *WAYS_IN, *BY_LINK}

Answers = dict[object, str]


@dataclass(frozen=True)
class Street:
    """One URL: what stands in its address, and what it answers to a look and to a form without words."""

    get: Answers
    post: Answers | None = None  # None: a look is all, so a form gets 405
    where: dict[str, object] = field(default_factory=dict)  # part of the address -> attribute of the world

    def answer(self, method: str, who: str) -> object:
        """What this one gets."""
        answers = self.get if method == "GET" else self.post
        if answers is None:
            return 405 if self.answer("GET", who) != 403 else 403
        return next((answer for answer, names in answers.items() if who in names.split()), 403)


def own_case(post: bool = False, get: bool = True, **where: str) -> Street:
    """Of a case: its owner is let in, the unit gives a reason first, the other unit finds nothing."""
    look: Answers = {200: "caseworker", "reason": "colleague manager", 404: OTHER_UNIT} if get else {405: STAFF}
    act: Answers = {"in": "caseworker", "reason": "colleague manager", 404: OTHER_UNIT}
    return Street(look, act if post else None, where)


def manager_of(ends: bool = False, **where: str) -> Street:
    """Of a case, for the manager of its unit alone."""
    return Street({405: "manager other_manager"}, {"in" if ends else 422: "manager", 404: "other_manager"}, where)


def portal_act(pk: str) -> Street:
    """Of a referral: the agency that it was handed to, and no other."""
    return Street({405: PARTNERS}, {"in": "partner", 404: "other_partner"}, {"pk": pk})


def open_call_act() -> Street:
    """Of an unfinished call: anybody of the unit."""
    return Street({405: STAFF}, {"in": UNIT, 404: OTHER_UNIT}, {"pk": "call.pk"})


CASE = {"code": "case.slug"}
STREETS: dict[str, Street] = {
    "home": Street({302: EVERYBODY}, {302: EVERYBODY}),
    "health": Street({503: EVERYBODY}),
    "livez": Street({200: EVERYBODY}),
    "language": Street({405: EVERYBODY}, {302: EVERYBODY}),
    "account-keys": Street({405: EVERYBODY}, {302: EVERYBODY}),
    "account-here": Street({204: EVERYBODY}),
    "account_login": Street({302: EVERYBODY}, {302: EVERYBODY}),
    "account_logout": Street({200: EVERYBODY}, {302: EVERYBODY}),
    "account_signup": Street({302: EVERYBODY}, {302: EVERYBODY}),
    "mfa_authenticate": Street({302: EVERYBODY}, {302: EVERYBODY}),
    "mfa_login_webauthn": Street({302: EVERYBODY}, {302: EVERYBODY}),
    "sign_on_login": Street({405: EVERYBODY}, {404: EVERYBODY}),  # none is configured
    "sign_on_callback": Street({404: EVERYBODY}),
    "invitation": Street({404: EVERYBODY}, {404: EVERYBODY}, {"token": "no_token"}),
    # one's own page of how one logs in: each part asks again who it is
    **{
        name: Street({302: EVERYBODY}, {302: EVERYBODY})
        for name in ("mfa_activate_totp", "mfa_deactivate_totp", "mfa_add_webauthn", "mfa_generate_recovery_codes")
    },
    "mfa_index": Street({302: EVERYBODY}),
    "mfa_view_recovery_codes": Street({302: EVERYBODY}, {302: EVERYBODY}),
    "mfa_remove_webauthn": Street({302: EVERYBODY}, {302: EVERYBODY}, {"pk": "no_number"}),
    "account-password": Street({302: EVERYBODY}, {302: EVERYBODY}),
    "account-connect": Street({405: EVERYBODY}, {302: EVERYBODY}),
    "account-disconnect": Street({405: EVERYBODY}, {302: EVERYBODY}),
    "account-end": Street({405: EVERYBODY}, {302: EVERYBODY}, {"pk": "no_number"}),
    "account-end-others": Street({405: EVERYBODY}, {302: EVERYBODY}),
    "account-known": Street({405: EVERYBODY}, {302: EVERYBODY}),
    "account_reauthenticate": Street({200: EVERYBODY}, {200: EVERYBODY}),
    "mfa_reauthenticate": Street({302: EVERYBODY}, {302: EVERYBODY}),  # who has no factor shows the password
    "mfa_reauthenticate_webauthn": Street({302: EVERYBODY}, {302: EVERYBODY}),
    "account-again-sign-on": Street({200: EVERYBODY}, {404: EVERYBODY}),  # none is configured
    "demo-mail": Street({200: EVERYBODY}),
    # the roof
    "caseload": Street({200: "manager other_manager"}),
    "caseload-now": Street({200: "manager other_manager"}),
    "caseload-rows": Street({200: "manager other_manager"}, where={"key": "figure"}),
    "promise": Street({200: "manager other_manager"}),
    "worker-week": Street({200: "manager", 404: "other_manager"}, where={"pk": "colleague.pk"}),
    # who has nothing to spread: back to the overview
    "spread": Street(
        {302: "manager", 404: "other_manager"}, {302: "manager", 404: "other_manager"}, {"pk": "colleague.pk"}
    ),
    "case-step": Street(
        {200: "manager", 404: "other_manager"}, {422: "manager", 404: "other_manager"}, {"code": "case.slug"}
    ),
    "over-time": Street({200: "manager other_manager"}),
    "statistics-file": Street(
        {404: "manager other_manager coordinator"}, where={"code": "no_token", "form": "no_token"}
    ),  # none is told yet
    "statistics": Street({200: "manager other_manager coordinator"}),
    "mail": Street({200: "manager other_manager keeper"}),
    "log:list": Street({200: "reviewer"}),
    "log:review-list": Street({200: "manager other_manager reviewer"}),
    "log:review": Street(
        {200: "manager reviewer", 404: "other_manager"},
        {422: "manager reviewer", 404: "other_manager"},
        {"pk": "log_review.pk"},
    ),
    "log:review-sign": Street(
        {405: "manager other_manager reviewer"},
        {"in": "manager reviewer", 404: "other_manager"},
        {"pk": "log_review.pk"},
    ),
    "mail-send": Street(
        {405: "manager other_manager keeper"}, {"in": "manager keeper", 404: "other_manager"}, {"pk": "notice.pk"}
    ),
    "disposals:disposal-list": Street({200: "manager other_manager reviewer"}),
    "disposals:disposal-propose": Street({200: "manager other_manager"}, {"in": "manager other_manager"}),
    "disposals:disposal": Street({200: "manager reviewer", 404: "other_manager"}, where={"pk": "disposal.pk"}),
    "disposals:disposal-approve": Street(
        {405: "manager other_manager reviewer"}, {422: "manager reviewer", 404: "other_manager"}, {"pk": "disposal.pk"}
    ),
    "disposals:disposal-refuse": Street(
        {405: "manager other_manager reviewer"}, {"in": "manager reviewer", 404: "other_manager"}, {"pk": "disposal.pk"}
    ),
    "disposals:disposal-record": Street({200: "manager reviewer", 404: "other_manager"}, where={"pk": "disposed.pk"}),
    "disposals:case-keep": Street(
        {200: "manager", 404: "other_manager"}, {422: "manager", 404: "other_manager"}, {"code": "case.slug"}
    ),
    "keeper:user-list": Street({200: "keeper"}),
    "keeper:user-add": Street({200: "keeper"}, {422: "keeper"}),
    "keeper:user-edit": Street({200: "keeper"}, {200: "keeper"}, {"pk": "colleague.pk"}),
    "keeper:user-invite": Street({405: "keeper"}, {302: "keeper"}, {"pk": "colleague.pk"}),
    "keeper:user-reset": Street({405: "keeper"}, {200: "keeper"}, {"pk": "colleague.pk"}),
    "keeper:user-end": Street({405: "keeper"}, {302: "keeper"}, {"pk": "colleague.pk"}),
    "keeper:agency-list": Street({200: "keeper"}),
    "keeper:agency-add": Street({200: "keeper"}, {422: "keeper"}),
    "keeper:agency-edit": Street({200: "keeper"}, {422: "keeper"}, {"pk": "agency.pk"}),
    "keeper:agency-verify": Street({405: "keeper"}, {302: "keeper"}, {"pk": "agency.pk"}),
    "keeper:agency-export": Street({405: "keeper"}, {200: "keeper"}),
    "keeper:grounds": Street({200: "keeper"}, {422: "keeper"}),
    "keeper:board": Street({200: "keeper"}, {422: "keeper"}),
    "extract": Street(
        {"reason": "manager", 404: "other_manager"},
        {"reason": "manager", 404: "other_manager"},
        {**CASE, "pk": "person.pk"},
    ),
    "extract-call": Street(
        {200: "manager", 404: "other_manager"}, {422: "manager", 404: "other_manager"}, {"pk": "finished.pk"}
    ),
    "extract-read": Street(
        {"reason": "manager", 404: "other_manager"}, {"reason": "manager", 404: "other_manager"}, {"pk": "decision.pk"}
    ),
    "extract-make": Street(
        {405: "manager other_manager"}, {"reason": "manager", 404: "other_manager"}, {"pk": "decision.pk"}
    ),
    # calls
    "intake:my-day": Street({200: STAFF}),
    "intake:my-day-now": Street({204: STAFF}),
    "intake:week": Street({200: STAFF}),
    "intake:week-of": Street({200: STAFF}, where={"day": "day"}),
    "intake:calendar-own": Street({200: STAFF}, {200: STAFF}),
    "intake:calendar-end": Street({405: STAFF}, {302: STAFF}),
    "intake:calendar-feed": Street({404: EVERYBODY}, where={"token": "no_token"}),
    "intake:notice-open": Street(
        {302: "caseworker", 404: f"colleague manager {OTHER_UNIT}"}, where={"pk": "notice.pk"}
    ),
    "intake:shift": Street({200: STAFF}, {422: STAFF}),
    "intake:shift-take": Street(
        {200: "colleague", 404: f"caseworker manager {OTHER_UNIT}"},
        {"in": "colleague", 404: f"caseworker manager {OTHER_UNIT}"},
        {"pk": "shift.pk"},
    ),
    "intake:shift-withdraw": Street(
        {405: STAFF}, {"in": "caseworker", 404: f"colleague manager {OTHER_UNIT}"}, {"pk": "shift.pk"}
    ),
    "intake:absence-list": Street({200: STAFF}, {422: STAFF}),
    "intake:absence-edit": Street(
        {200: "colleague manager", 404: f"caseworker {OTHER_UNIT}"},
        {422: "colleague manager", 404: f"caseworker {OTHER_UNIT}"},
        {"pk": "absence.pk"},
    ),
    "intake:absence-remove": Street(
        {405: STAFF}, {"in": "colleague manager", 404: f"caseworker {OTHER_UNIT}"}, {"pk": "absence.pk"}
    ),
    "intake:call-start": Street({405: STAFF}, {"in": STAFF}),
    "intake:call": Street({200: UNIT, 404: OTHER_UNIT}, where={"pk": "call.pk"}),
    "intake:call-save": open_call_act(),
    "intake:call-complete": open_call_act(),
    "intake:call-quick": open_call_act(),
    "intake:call-void": open_call_act(),
    "intake:call-again": open_call_act(),
    "intake:call-not-again": open_call_act(),
    "intake:call-late": Street({200: STAFF}, {422: STAFF}),
    "intake:call-after": own_case(pk="done.pk"),
    "intake:call-heavy": Street(
        {200: "caseworker", 404: f"colleague manager {OTHER_UNIT}"},
        {"in": "caseworker", 404: f"colleague manager {OTHER_UNIT}"},
        {"pk": "done.pk"},
    ),
    "intake:paper": Street({200: STAFF}),
    # cases
    "intake:search": Street({200: STAFF}, {422: STAFF}),
    "intake:case-list": Street({200: STAFF}),
    "intake:case": own_case(**CASE),
    "intake:case-reason": Street(
        {302: "caseworker", 200: "colleague manager", 404: OTHER_UNIT},
        {302: "caseworker", 422: "colleague manager", 404: OTHER_UNIT},
        CASE,
    ),
    "intake:case-after": Street({302: "caseworker", "reason": "colleague manager", 404: OTHER_UNIT}, where=CASE),
    "intake:case-text": own_case(post=True, get=False, **CASE),
    "intake:note-add": own_case(post=True, get=False, **CASE),
    "intake:contact": own_case(**CASE),
    "intake:contact-prepare": own_case(post=True, get=False, **CASE),
    "intake:number-show": own_case(post=True, get=False, **CASE),
    "intake:number-set": own_case(post=True, get=False, **CASE),
    "intake:contact-log": own_case(post=True, get=False, **CASE),
    "intake:people": own_case(post=True, **CASE),
    "intake:person-edit": own_case(post=True, **CASE, pk="person.pk"),
    "intake:person-remove": own_case(post=True, get=False, **CASE, pk="person.pk"),
    "intake:passphrase": own_case(post=True, get=False, **CASE),
    "intake:case-link": Street({200: "manager other_manager"}, {422: "manager other_manager"}),
    "intake:case-unlink": Street(
        {405: "manager other_manager"}, {"in": "manager", 404: "other_manager"}, {"pk": "link.pk"}
    ),
    "intake:concern-register": own_case(post=True, **CASE),
    "intake:child": own_case(**CASE, report="report.pk"),
    "intake:child-feedback": own_case(post=True, get=False, **CASE, report="report.pk"),
    "intake:child-decide": Street(
        {405: STAFF},
        {"unqualified": "caseworker", "reason": "colleague manager", 404: OTHER_UNIT},
        {**CASE, "report": "report.pk", "kind": "clock.kind"},
    ),
    "intake:child-extend": Street(
        {405: "manager other_manager"},
        {"reason": "manager", 404: "other_manager"},
        {**CASE, "report": "report.pk", "kind": "clock.kind"},
    ),
    "intake:note-amend": own_case(post=True, **CASE, pk="note.pk", amendment="amendment"),
    "intake:call-note-amend": Street(
        {200: "caseworker", 404: f"colleague manager {OTHER_UNIT}"},
        {"in": "caseworker", 404: f"colleague manager {OTHER_UNIT}"},
        {"call": "finished.pk", "pk": "finished_note.pk", "amendment": "amendment"},
    ),
    "intake:call-amend": Street(
        {200: "caseworker", 404: f"colleague manager {OTHER_UNIT}"},
        {422: "caseworker", 404: f"colleague manager {OTHER_UNIT}"},
        {"pk": "finished.pk"},
    ),
    "intake:case-track": own_case(post=True, **CASE),
    "intake:case-close": own_case(post=True, **CASE),
    "intake:acute-write": own_case(post=True, get=False, code="acute.slug", pk="acute_call.pk"),
    "intake:case-safe": own_case(post=True, **CASE),
    "intake:case-reassign": Street(
        {200: "manager", 404: "other_manager"}, {422: "manager", 404: "other_manager"}, CASE
    ),
    # who may: named for a protected case, locked out of a case, opened in an emergency
    "intake:case-staff": Street({200: "manager", 404: "other_manager"}, where=CASE),
    "intake:staff-name": manager_of(**CASE),
    "intake:staff-lock": manager_of(**CASE),
    "intake:staff-name-end": manager_of(ends=True, code="protected.slug", pk="naming.pk"),
    "intake:staff-lock-end": manager_of(ends=True, code="protected.slug", pk="locked.pk"),
    "intake:emergency": Street({200: STAFF}, {422: STAFF}),
    "intake:review-list": Street({200: "manager other_manager reviewer"}),
    "intake:review": Street(
        {405: "manager other_manager reviewer"}, {422: "manager", 404: "other_manager reviewer"}, {"pk": "opening.pk"}
    ),
    "intake:step-plan": own_case(post=True, get=False, **CASE),
    "intake:step-done": own_case(post=True, **CASE, pk="step.pk"),
    "intake:step-move": own_case(post=True, **CASE, pk="step.pk"),
    # referrals, for staff
    "referrals:list": Street({200: STAFF}),
    "referrals:agency-list": Street({200: STAFF}),
    "referrals:choose": own_case(post=True, **CASE),
    "referrals:ask-first": own_case(post=True, **CASE),
    "referrals:case-signpost": Street(
        {200: "caseworker", "reason": "colleague manager", 404: OTHER_UNIT},
        {"in": "caseworker", "reason": "colleague manager", 404: OTHER_UNIT},
        {**CASE, "agency": "place.pk", "need": "need"},
    ),
    "referrals:call-signpost": Street(
        {200: UNIT, 404: OTHER_UNIT},
        {"in": UNIT, 404: OTHER_UNIT},
        {"pk": "call.pk", "agency": "place.pk", "need": "need"},
    ),
    "referrals:call-signpost-leave": Street(
        {405: STAFF}, {"in": UNIT, 404: OTHER_UNIT}, {"pk": "call.pk", "agency": "place.pk", "need": "need"}
    ),
    "referrals:referral": own_case(post=True, pk="draft.pk"),
    "referrals:send": own_case(post=True, get=False, pk="draft.pk"),
    "referrals:discard": own_case(post=True, get=False, pk="draft.pk"),
    "referrals:answer": own_case(post=True, get=False, pk="asked.pk"),
    **{f"referrals:{name}": own_case(post=True, get=False, pk="sent.pk") for name in ("accept", "decline", "ask")},
    **{
        f"referrals:{name}": own_case(post=True, get=False, pk="accepted.pk")
        for name in ("book", "book-warm", "contact", "miss", "hold", "return", "fail")
    },
    "referrals:spoke": own_case(post=True, get=False, pk="warm.pk"),
    "referrals:resume": own_case(post=True, get=False, pk="resting.pk"),
    "referrals:complete": own_case(post=True, get=False, pk="contacted.pk"),
    "referrals:withdraw": own_case(post=True, get=False, pk="sent.pk"),
    "referrals:confirm": own_case(post=True, get=False, pk="withdrawn.pk"),
    "referrals:caller-says": own_case(post=True, pk="contacted.pk"),
    "referrals:paper-pdf": own_case(post=True, get=False, pk="sent.pk"),
    "referrals:paper-text": own_case(post=True, get=False, pk="sent.pk"),
    "referrals:message": own_case(post=True, get=False, pk="accepted.pk"),
    "referrals:message-read": own_case(post=True, get=False, pk="accepted.pk"),
    "referrals:comment-answer": own_case(post=True, get=False, pk="commented.pk"),
    "referrals:consent-withdraw": own_case(post=True, **CASE, pk="consent.pk"),
    "referrals:look": own_case(post=True, get=False, pk="sent.pk"),
    # the portal
    "portal:agency": Street({200: PARTNERS}),
    "portal:agency-room": Street({405: PARTNERS}, {"in": PARTNERS}),
    "portal:agency-away": Street({405: PARTNERS}, {422: PARTNERS}),
    "portal:agency-back": Street({405: PARTNERS}, {"in": "partner", 404: "other_partner"}, {"pk": "away.pk"}),
    "portal:agency-hours": Street({405: PARTNERS}, {"in": "partner"}),
    "portal:agency-deputy": Street({405: PARTNERS}, {"in": "partner"}),
    "portal:agency-true": Street({405: PARTNERS}, {"in": PARTNERS}),
    "portal:people": Street({200: "partner", "unqualified": "other_partner"}),
    "portal:person-add": Street({200: "partner"}, {422: "partner"}),
    "portal:person": Street(
        {200: "partner"},
        {200: "partner"},
        {"pk": "partner.pk"},
    ),
    # a first look by a link: whoever has the link, and then whoever has given the code in that browser
    "portal:look": Street({200: EVERYBODY}, {422: EVERYBODY}, {"token": "look_token"}),
    "portal:look-card": Street({404: EVERYBODY}),
    "portal:look-said": Street({404: EVERYBODY}),
    **{f"portal:look-{name}": Street({405: EVERYBODY}, {404: EVERYBODY}) for name in ("accept", "decline", "ask")},
    # a question without a name: in the portal, or by its link
    "portal:questions": Street({200: PARTNERS}),
    "portal:question-answer": Street({405: PARTNERS}, {"in": "partner", 404: "other_partner"}, {"pk": "pre_answer.pk"}),
    "portal:pre": Street({200: EVERYBODY}, {422: EVERYBODY}, {"token": "pre_token"}),
    "portal:inbox": Street({200: PARTNERS}),
    "portal:referral": Street({200: "partner", 404: "other_partner"}, where={"pk": "sent.pk"}),
    "portal:accept": portal_act("sent.pk"),
    "portal:decline": portal_act("sent.pk"),
    "portal:ask": portal_act("sent.pk"),
    "portal:contact": portal_act("accepted.pk"),
    "portal:confirm": portal_act("withdrawn.pk"),
    **{f"portal:{name}": portal_act("accepted.pk") for name in ("book", "miss", "hold", "return", "fail", "message")},
    "portal:tick": portal_act("warm.pk"),
    "portal:resume": portal_act("resting.pk"),
    **{f"portal:{name}": portal_act("contacted.pk") for name in ("complete", "comment", "asked-again")},
}

# Pages that the table's own world does not show: a referral in other states, for staff and in the portal.
MORE_PAGES = [
    *(
        ("referrals:referral", Street({200: "caseworker"}, where={"pk": f"{state}.pk"}))
        for state in ("sent", "asked", "accepted", "declined", "withdrawn", "warm", "missed", "resting", "contacted")
    ),
    *(
        ("portal:referral", Street({200: "partner"}, where={"pk": f"{state}.pk"}))
        for state in ("asked", "accepted", "withdrawn")
    ),
]

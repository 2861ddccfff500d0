"""The call: its actions, and the page to work in while somebody is talking."""

import datetime as dt
from html.parser import HTMLParser

import pytest
from django.core import mail
from django.db import InternalError, connection, transaction
from django.urls import reverse

from helpline.people import clock
from helpline.people.errors import Refused, TooLate
from helpline.people.models import LogEntry, Notice
from intake import actions, triage
from intake.actions.steps import first_step_due
from intake.models import Answer, Call, Case, FollowUp, Note
from intake.triage import BadAnswer, guide_of
from tests.conftest import NO_ACTUALISATION

pytestmark = pytest.mark.django_db
WORDS = "Brodern heter Kalle Anka"


@pytest.fixture(autouse=True)
def without_upper_floors(settings):
    """This floor works with referrals taken out."""
    settings.PANELS = ""


@pytest.fixture
def call(cast):
    return actions.start_call(by=cast.caseworker)


@pytest.fixture
def anna(client_of, cast):
    return client_of(cast.caseworker)


class Browser(HTMLParser):
    """What a browser without script would send: the fields of the call's form as they stand on the page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.sent: list[tuple[str, str]] = []
        self.names: set[str] = set()
        self.text: tuple[str, list[str]] | None = None
        self.select = ""
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        name = given.get("name", "")
        if tag in ("input", "textarea", "select"):
            self.names.add(name)
        if tag == "textarea":
            self.text = (name, [])
        elif tag == "select":
            self.select = name
        elif tag == "option" and "selected" in given:
            self.sent.append((self.select, given["value"]))
        elif tag == "input" and given.get("form") != "none" and self.is_sent(given):
            self.sent.append((name, given.get("value", "on")))

    def is_sent(self, given):
        return given.get("type") not in ("radio", "checkbox") or "checked" in given

    def handle_data(self, data):
        if self.text:
            self.text[1].append(data)

    def handle_endtag(self, tag):
        if tag == "textarea" and self.text:
            self.sent.append((self.text[0], "".join(self.text[1]).removeprefix("\n").replace("\n", "\r\n")))
            self.text = None

    def data(self, **changed):
        """The form's data with some fields changed; a dot in a name is written as two underscores."""
        changed = {name.replace("__", "."): value for name, value in changed.items()}
        found: dict[str, list[str]] = {}
        for name, value in self.sent:
            if name and name not in changed and name != "csrfmiddlewaretoken":
                found.setdefault(name, []).append(value)
        return {**found, **changed}


def url(name, call):
    return reverse(f"intake:{name}", args=[call.pk])


def page_of(client, call):
    return Browser(client.get(url("call", call)).content.decode())


def fresh(call):
    return Call.objects.select_related("key", "case", "unit", "taken_by").get(pk=call.pk)


def note(call, kind):
    return call.notes.get(kind=kind).text


def events(call):
    return list(LogEntry.objects.filter(call=call.pk).order_by("pk").values_list("event", flat=True))


# ---------- Starting ----------


def test_start_stamps_the_time_and_fixes_the_questions(cast, at):
    with at("2026-11-23 14:05"):
        call = actions.start_call(by=cast.caseworker)
        assert call.received_at == clock.now() == call.saved_at
    assert (call.unit, call.taken_by, call.caller_type, call.urgency) == (cast.unit, cast.caseworker, "", "")
    assert call.question_set_id == 1
    assert events(call) == ["call.started"]
    connection.check_constraints()


def test_start_is_for_people_of_a_unit(cast):
    with pytest.raises(Refused):
        actions.start_call(by=cast.keeper)
    assert not Call.objects.exists()


def test_start_page_creates_the_call_and_goes_to_it(anna, cast):
    answer = anna.post(reverse("intake:call-start"))
    made = Call.objects.get()
    assert (answer.status_code, answer.url) == (303, url("call", made))
    assert made.taken_by == cast.caseworker
    assert anna.get(answer.url).status_code == 200


def test_a_second_call_is_a_call_of_its_own(anna):
    anna.post(reverse("intake:call-start"))
    anna.post(reverse("intake:call-start"))
    assert Call.objects.unfinished().count() == 2


def test_start_by_get_is_refused(anna):
    assert anna.get(reverse("intake:call-start")).status_code == 405
    assert not Call.objects.exists()


@pytest.mark.parametrize("who", ["partner", "keeper"])
def test_start_is_not_for_other_roles(client_of, cast, who):
    assert client_of(getattr(cast, who)).post(reverse("intake:call-start")).status_code == 403
    assert not Call.objects.exists()


# ---------- Saving: the action ----------


def test_save_takes_what_is_given_and_only_that(cast, call):
    actions.save_call(
        by=cast.caseworker,
        call=call,
        facts={"caller_type": "relative", "safe_contact": "Kvällar"},
        answers={"weapon": "yes", "r_known": ["school", "police"]},
        remarks={"weapon": "Jaktgevär"},
        notes={"seen": WORDS},
    )
    saved = actions.save_call(by=cast.caseworker, call=call, facts={"milieu": "RIGHT"})
    assert (saved.caller_type, saved.safe_contact, saved.milieu) == ("relative", "Kvällar", "RIGHT")
    assert saved.answered == {"weapon": "yes", "r_known": ["school", "police"]}
    assert saved.remarks == {"weapon": "Jaktgevär"}
    assert note(saved, "seen") == WORDS
    assert saved.urgency_at_least == "AKUT"
    connection.check_constraints()


def test_save_logs_codes_and_no_words(cast, call):
    actions.save_call(by=cast.caseworker, call=call, facts={"safe_contact": WORDS}, notes={"seen": WORDS})
    row = LogEntry.objects.get(event="call.saved")
    assert row.codes == {"parts": ["safe_contact", "seen"]}
    assert row.user == cast.caseworker


def test_an_empty_answer_takes_it_away(cast, call):
    actions.save_call(by=cast.caseworker, call=call, answers={"weapon": "yes", "r_known": ["school"]})
    saved = actions.save_call(by=cast.caseworker, call=call, answers={"weapon": "", "r_known": []})
    assert saved.answered == {}
    assert saved.urgency_at_least == "NORMAL"
    assert not Answer.objects.exists()


def test_a_remark_stands_without_an_answer(cast, call):
    saved = actions.save_call(by=cast.caseworker, call=call, remarks={"r_rel": "  bor ihop "})
    assert saved.remarks == {"r_rel": "bor ihop"}


@pytest.mark.parametrize(
    "given, fault",
    [
        ({"facts": {"case_id": "1"}}, Refused),
        ({"notes": {"gossip": "x"}}, Refused),
        ({"answers": {"shoe_size": "43"}}, BadAnswer),
        ({"answers": {"weapon": "perhaps"}}, BadAnswer),
        ({"answers": {"r_known": ["school", "aliens"]}}, BadAnswer),
        ({"answers": {"r_event": ["a", "b"]}}, BadAnswer),
    ],
)
def test_what_does_not_exist_is_refused_whole(cast, call, given, fault):
    with pytest.raises(fault):
        actions.save_call(by=cast.caseworker, call=call, **{"remarks": {"r_rel": "x"}, **given})
    assert not Answer.objects.exists()
    assert not Note.objects.exists()


def test_an_answered_age_is_the_age_of_the_call(cast, call):
    assert actions.save_call(by=cast.caseworker, call=call, answers={"r_age": "12-14"}).age_band == "12-14"
    assert actions.save_call(by=cast.caseworker, call=call, facts={"age_band": "15-17"}).age_band == "15-17"
    assert actions.save_call(by=cast.caseworker, call=call, answers={"r_age": "unknown"}).age_band == "15-17"


def test_advice_has_no_identity(cast, call):
    names = {"caller_name": "Eva", "phone": "070"}
    told = {"named": "said"}
    saved = actions.save_call(by=cast.caseworker, call=call, facts={"track": "B", **names}, answers=told)
    assert (saved.caller_name, saved.phone) == ("Eva", "070")
    slipped = actions.save_call(by=cast.caseworker, call=call, facts={"track": "A"})
    assert (slipped.caller_name, slipped.phone) == ("Eva", "070")  # a slip of the track erases nothing
    facts = {"caller_type": "relative", "urgency": "NORMAL", **NO_ACTUALISATION}
    actions.save_call(by=cast.caseworker, call=call, facts=facts)
    done = actions.complete_call(by=cast.caseworker, call=call)
    assert (done.caller_name, done.phone) == ("", "")
    caller, concern = done.case.people.order_by("part")
    assert (caller.name, concern.name, concern.phone) == ("", "", "")
    assert caller.phone == "070" and caller.phone_until - clock.now() <= dt.timedelta(
        days=14
    )  # to call back, no longer


def test_words_stand_sealed_in_the_database(cast, call):
    facts = {"track": "B", "caller_name": WORDS, "safe_contact": WORDS}
    answers = {"r_event": WORDS, "named": "said"}
    actions.save_call(by=cast.caseworker, call=call, facts=facts, answers=answers, notes={"seen": WORDS})
    with connection.cursor() as cursor:
        for table in ("intake_call", "intake_answer", "intake_note"):
            cursor.execute(f"SELECT t::text FROM {table} t")
            rows = cursor.fetchall()
            assert rows
            assert WORDS.encode().hex() not in str(rows)
            assert "Kalle" not in str(rows)


# ---------- Completing and voiding: the actions ----------


def test_complete_opens_a_case_with_owner_and_next_step(cast, make_call):
    call = make_call(answers={"r_violence": "yes"}, notes={"seen": WORDS}, urgency="SKYNDSAM", safe_contact="Kvällar")
    due = clock.now() + dt.timedelta(days=2)
    done = actions.complete_call(by=cast.caseworker, call=call, what="Ring modern", due_at=due)
    case = Case.objects.select_related("key").get()
    assert done.case_id == case.pk
    assert (case.owner, case.urgency, case.caller_type, case.age_band) == (
        cast.caseworker,
        "SKYNDSAM",
        "relative",
        "15-17",
    )
    assert case.needs == ["family_support"]
    assert case.safe_contact == "Kvällar"
    step = FollowUp.objects.select_related("case__key").get()
    assert (step.what, step.due_at, step.owner) == ("Ring modern", due, cast.caseworker)
    assert case.next_due_at == due
    kinds = set(case.events.values_list("kind", flat=True))
    assert {"case.opened", "step.planned", "call.completed", "urgency.confirmed", "note.signed"} <= kinds
    connection.check_constraints()


def test_complete_signs_the_notes_for_good(cast, make_call):
    call = make_call(notes={"seen": WORDS}, urgency="NORMAL")
    done = actions.complete_call(by=cast.caseworker, call=call)
    signed = done.notes.get()
    assert signed.signed_at is not None
    with pytest.raises(InternalError), transaction.atomic():
        signed.text = "annat"
        signed.save()
    with pytest.raises(TooLate):
        actions.save_call(by=cast.caseworker, call=done, notes={"seen": "annat"})
    assert note(done, "seen") == WORDS


@pytest.mark.parametrize(
    "facts", [{"caller_type": "", "urgency": "NORMAL"}, {"caller_type": "relative", "urgency": ""}]
)
def test_complete_needs_caller_type_and_urgency(cast, make_call, facts):
    call = make_call(**facts)
    with pytest.raises(Refused):
        actions.complete_call(by=cast.caseworker, call=call)
    assert fresh(call).completed_at is None
    assert not Case.objects.exists()


@pytest.mark.parametrize("urgency", ["BRADSKANDE", "SKYNDSAM", "NORMAL"])
def test_a_lower_urgency_needs_a_reason(cast, make_call, urgency):
    call = make_call(answers={"weapon": "yes"}, urgency=urgency)
    with pytest.raises(Refused, match="Acute"):
        actions.complete_call(by=cast.caseworker, call=call)
    call = actions.save_call(by=cast.caseworker, call=call, facts={"urgency_reason": "Leksaksvapen"})
    done = actions.complete_call(by=cast.caseworker, call=call)
    assert (done.urgency, done.urgency_at_least) == (urgency, "AKUT")


def test_a_higher_urgency_needs_none(cast, make_call):
    done = actions.complete_call(by=cast.caseworker, call=make_call(urgency="AKUT"))
    assert (done.urgency, done.urgency_at_least) == ("AKUT", "NORMAL")


@pytest.mark.parametrize(
    "facts, answers, wanted, opened",
    [
        ({"caller_type": "misdial"}, {}, False, False),
        ({"caller_type": "other"}, {}, False, False),
        ({"caller_type": "other"}, {}, True, True),
        ({"caller_type": "other"}, {"child_harm": "yes"}, False, True),
        ({"caller_type": "child_self"}, {}, False, True),
    ],
)
def test_a_case_is_opened_where_it_is_needed_or_wanted(cast, make_call, facts, answers, wanted, opened):
    call = make_call(answers=answers, urgency="AKUT", **facts)
    done = actions.complete_call(by=cast.caseworker, call=call, open_a_case=wanted)
    assert (done.case is not None) == opened
    assert Case.objects.count() == opened
    connection.check_constraints()


@pytest.mark.parametrize("urgency", triage.codes("urgencies"))
def test_the_first_step_is_due_by_the_urgency(cast, make_call, at, urgency):
    with at("2026-11-23 14:05"):
        actions.complete_call(by=cast.caseworker, call=make_call(urgency=urgency))
        assert FollowUp.objects.get().due_at == first_step_due(urgency, clock.now()) > clock.now()


def test_complete_twice_completes_once(cast, make_call):
    call = make_call(urgency="NORMAL")
    actions.complete_call(by=cast.caseworker, call=call)
    with pytest.raises(TooLate):
        actions.complete_call(by=cast.caseworker, call=call)
    assert Case.objects.count() == 1
    assert events(call).count("call.completed") == 1  # of the call and of its line in the timeline


def test_completing_mails_nobody(cast, make_call):
    actions.complete_call(by=cast.caseworker, call=make_call(notes={"seen": WORDS}, urgency="NORMAL"))
    assert not mail.outbox
    assert not Notice.objects.exists()


def test_void_keeps_the_row_and_the_reason(cast, call):
    with pytest.raises(Refused):
        actions.void_call(by=cast.caseworker, call=call, why="  ")
    actions.void_call(by=cast.caseworker, call=call, why="Fel knapp")
    voided = fresh(call)
    assert (voided.is_finished, voided.completed_at, voided.urgency_reason) == (True, None, "Fel knapp")
    assert not Call.objects.unfinished().exists()
    with pytest.raises(TooLate):
        actions.void_call(by=cast.caseworker, call=call, why="igen")
    assert events(call) == ["call.started", "call.voided"]


# ---------- The page: who may see it ----------


@pytest.mark.parametrize("name", ["call", "call-save", "call-complete", "call-quick", "call-void"])
class TestWhoMay:
    def ask(self, client, name, call):
        return client.get(url(name, call)) if name == "call" else client.post(url(name, call), {"n.seen": WORDS})

    @pytest.mark.parametrize("who", ["partner", "keeper"])
    def test_the_wrong_role_may_not(self, client_of, cast, call, name, who):
        assert self.ask(client_of(getattr(cast, who)), name, call).status_code == 403

    @pytest.mark.parametrize("who", ["stranger", "other_manager"])
    def test_for_the_other_unit_it_is_not_there(self, client_of, cast, call, name, who):
        assert self.ask(client_of(getattr(cast, who)), name, call).status_code == 404
        assert LogEntry.objects.filter(event="call.refused", row=str(call.pk)).exists()
        assert not Note.objects.exists()

    def test_the_wrong_method_is_refused(self, anna, call, name):
        answer = anna.post(url(name, call)) if name == "call" else anna.get(url(name, call))
        assert answer.status_code == 405

    def test_a_colleague_may_while_it_is_unfinished(self, client_of, cast, call, name):
        assert self.ask(client_of(cast.colleague), name, call).status_code in (200, 303, 422)


def test_every_reading_is_logged(anna, call):
    anna.get(url("call", call))
    assert events(call) == ["call.started", "call.read"]


def test_a_finished_call_of_a_colleague_is_read_in_its_case(client_of, cast, make_call):
    call = actions.complete_call(by=cast.caseworker, call=make_call(urgency="NORMAL"))
    assert client_of(cast.colleague).get(url("call", call)).status_code == 404


# ---------- The page: what it shows ----------


def test_a_new_call_asks_who_is_calling(anna, call):
    page = page_of(anna, call)
    assert not any(name.startswith(("a.r_", "a.l_", "a.p_")) for name in page.names)
    assert {f"a.{question.key}" for question in guide_of(1).sets["acute"]} <= page.names


@pytest.mark.parametrize("caller", ["relative", "leaver", "professional"])
def test_the_questions_of_the_caller_are_all_there(anna, make_call, caller):
    page = page_of(anna, make_call(caller_type=caller))
    asked = {f"a.{question.key}" for question in guide_of(1).asked_of(caller)}
    assert asked <= page.names
    others = {f"a.{key}" for key in guide_of(1).questions if key[:2] in ("r_", "l_", "p_")} - asked
    assert not others & page.names


def test_an_answer_stays_in_sight_when_the_caller_type_changes(anna, make_call):
    call = make_call(caller_type="leaver", answers={"r_rel": "parent"})
    assert "a.r_rel" in page_of(anna, call).names


def test_acute_yes_comes_first_and_opens_112(anna, make_call, cast):
    call = make_call(answers={"weapon": "yes", "danger_now": "no"})
    html = anna.get(url("call", call)).content.decode()
    assert 'href="tel:112"' in html
    assert "If it cannot be judged when something may happen: call 112." in html
    assert str(cast.manager) in html
    order = [html.index(f'id="a-{key}-yes"') for key in ("weapon", "plan_attack", "danger_now")]
    assert order == sorted(order)


@pytest.mark.parametrize("answers", [{}, {"weapon": "no"}, {"weapon": "unknown"}, {"threatened": "yes"}])
def test_without_an_acute_yes_there_is_no_112(anna, make_call, answers):
    assert "tel:112" not in anna.get(url("call", make_call(answers=answers))).content.decode()


@pytest.mark.parametrize("track, shown", [("A", False), ("B", True), ("C", True)])
def test_names_are_there_on_tracks_b_and_c_alone(anna, make_call, track, shown):
    names = page_of(anna, make_call(track=track, answers={"named": "said"})).names
    assert ("caller_name" in names) == shown
    assert "phone" not in names  # asked where we are to call back, on any track


def test_the_first_unanswered_question_is_in_turn(anna, make_call):
    html = anna.get(url("call", make_call(answers={"r_event": "Ett brev"}))).content.decode()
    assert 'class="question current" id="q-r_seen"' in html
    assert 'class="question long" id="q-r_event"' in html
    assert 'href="#q-r_rel"' in html  # skip


def test_a_skipped_question_gives_the_turn_to_the_next(anna, make_call):
    call = make_call()
    answer = anna.post(url("call-save", call), {"turn": "r_rel"}, headers={"HX-Request": "true"})
    assert 'class="question current" id="q-r_rel"' in answer.content.decode()
    assert events(call)[-1] == "call.used"  # nothing was saved


def test_a_case_that_is_needed_is_not_asked_about(anna, make_call):
    assert "open_case" not in page_of(anna, make_call()).names
    assert "open_case" in page_of(anna, make_call(caller_type="other")).names


def test_the_urgency_shows_its_reasons(anna, make_call):
    html = anna.get(url("call", make_call(answers={"r_violence": "yes"}))).content.decode()
    assert "Justifies violence: yes, gives at least Prompt" in html
    assert 'value="SKYNDSAM" id="urgency-SKYNDSAM" checked' in html


def test_the_page_costs_the_same_however_much_is_answered(anna, make_call, django_assert_num_queries):
    def everything():
        asked = [*guide_of(1).asked_of("relative"), *guide_of(1).sets["acute"], *guide_of(1).sets["opening"]]
        for question in asked:
            code = next(iter(question.options), "ord")
            yield question.key, [code] if question.type == "multi" else code

    few = make_call(answers={"weapon": "yes"})
    many = make_call(answers=dict(everything()), notes={"seen": "a", "told": "b", "assessment": "c"})
    anna.get(url("call", few))
    with connection.execute_wrapper(counter := Counter()):
        anna.get(url("call", few))
    assert 0 < counter.count <= 16
    with django_assert_num_queries(counter.count):
        anna.get(url("call", many))


class Counter:
    def __init__(self):
        self.count = 0

    def __call__(self, execute, *arguments):
        self.count += 1
        return execute(*arguments)


# ---------- Saving: the page ----------


def test_save_without_script_goes_back_to_the_page(anna, call):
    data = page_of(anna, call).data(caller_type="leaver", a__weapon="no", r__weapon="Säger hon", n__told=WORDS)
    answer = anna.post(url("call-save", call), data)
    assert (answer.status_code, answer.url) == (303, url("call", call))
    saved = fresh(call)
    assert (saved.caller_type, saved.answered, saved.remarks) == ("leaver", {"weapon": "no"}, {"weapon": "Säger hon"})
    assert note(saved, "told") == WORDS
    assert WORDS in anna.get(answer.url).content.decode()


def test_a_script_saves_one_field_and_gets_the_page(anna, make_call):
    call = make_call(answers={"weapon": "no"}, notes={"seen": WORDS})
    answer = anna.post(url("call-save", call), {"a.threatened": "yes"}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert 'value="BRADSKANDE" id="urgency-BRADSKANDE" checked' in answer.content.decode()
    saved = fresh(call)
    assert saved.answered == {"weapon": "no", "threatened": "yes"}
    assert note(saved, "seen") == WORDS


def test_the_page_sent_back_as_it_is_changes_nothing(anna, make_call):
    call = make_call(
        answers={
            "weapon": "yes",
            "r_age": "12-14",
            "r_known": ["police", "school"],
            "greet": "said",
            "r_event": "a\nb",
        },
        notes={"seen": "rad ett\n\nrad två & <b>"},
        track="B",
        caller_name='Eva "E" <Ek>',
        interpreter=True,
        age_band="15-17",
        urgency="AKUT",
    )
    call = actions.save_call(by=call.taken_by, call=call, facts={"age_band": "15-17"})
    before = events(call)
    anna.post(url("call-save", call), page_of(anna, call).data())
    assert events(call) == [*before, "call.read", "call.used"]


def test_saving_twice_saves_once(anna, call):
    data = page_of(anna, call).data(n__seen=WORDS)
    anna.post(url("call-save", call), data)
    anna.post(url("call-save", call), data)
    assert events(call).count("call.saved") == 1
    assert Note.objects.count() == 1


def test_an_unchecked_box_is_empty_only_where_it_was_on_the_page(anna, make_call):
    call = make_call(answers={"r_known": ["school"], "greet": "said"}, interpreter=True)
    anna.post(url("call-save", call), {"n.seen": "x"})
    assert fresh(call).answered == {"r_known": ["school"], "greet": "said"}
    assert fresh(call).interpreter is True
    anna.post(url("call-save", call), {"present": ["a.r_known", "a.greet", "interpreter"]})
    assert fresh(call).answered == {}
    assert fresh(call).interpreter is False


def test_an_answer_is_taken_away_by_its_button(anna, make_call):
    call = make_call(answers={"weapon": "yes", "r_rel": "parent"})
    anna.post(url("call-save", call), page_of(anna, call).data(clear="a.weapon"))
    assert fresh(call).answered == {"r_rel": "parent"}


def test_a_chosen_age_is_not_overruled_by_an_old_answer(anna, make_call):
    call = make_call(answers={"r_age": "12-14"})
    anna.post(url("call-save", call), page_of(anna, call).data(age_band="15-17"))
    assert fresh(call).age_band == "15-17"
    anna.post(url("call-save", call), page_of(anna, call).data(n__seen="mer"))
    assert fresh(call).age_band == "15-17"


@pytest.mark.parametrize(
    "name, value",
    [
        ("municipality", "0000"),
        ("a.weapon", "perhaps"),
        ("a.r_known", "aliens"),
        ("caller_type", "martian"),
        ("track", ""),
        ("milieu", "x" * 300),
        ("due", "32 december"),
        ("due", "2027-03-28T02:30"),
        ("n.seen", "x" * 20_001),
        ("n.seen", "noll\x00byte"),
        ("a.r_event", "x" * 5_001),
        ("r.weapon", "x" * 2_001),
        ("phone", "0" * 41),
    ],
)
def test_what_is_wrong_comes_back_at_its_place_and_the_rest_is_saved(anna, make_call, name, value):
    call = make_call(track="B", safe_contact="förut")
    before = fresh(call)
    data = {name: value, "s.hours": "Kvällar", "n.told": WORDS, "a.threatened": "yes"}
    answer = anna.post(url("call-save", call), data)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [name]
    html = answer.content.decode()
    assert f'data-names="{name}"' in html
    assert f'href="#id_{name}"' in html
    saved = fresh(call)
    assert saved.safe.values == {"hours": "Kvällar", "other": "förut"}
    assert (note(saved, "told"), saved.answered) == (WORDS, {"threatened": "yes"})
    assert (saved.caller_type, saved.municipality_id, saved.phone) == (before.caller_type, before.municipality_id, "")
    assert WORDS in html


def test_words_that_are_too_long_are_still_in_the_page(anna, make_call):
    long = "ordet " * 4_000
    html = anna.post(url("call-save", make_call()), {"n.seen": long}).content.decode()
    assert long.strip() in html


def test_a_question_that_does_not_exist_is_named(anna, call):
    answer = anna.post(url("call-save", call), {"a.shoe_size": "43", "n.seen": WORDS})
    assert answer.status_code == 422
    assert "shoe_size: there is no such question." in answer.content.decode()
    assert note(fresh(call), "seen") == WORDS


def test_unknown_municipality_is_empty(anna, make_call):
    call = make_call(municipality_id="1499")
    anna.post(url("call-save", call), {"municipality": ""})
    assert fresh(call).municipality_id is None


# ---------- Urgency: confirmed by a person, never lowered by itself ----------


def test_saving_confirms_no_urgency(anna, call):
    anna.post(url("call-save", call), page_of(anna, call).data(a__weapon="yes"))
    saved = fresh(call)
    assert (saved.urgency, saved.urgency_at_least) == ("", "AKUT")


def test_a_person_confirms_it_by_the_button(anna, make_call):
    call = make_call(answers={"weapon": "yes"})
    anna.post(url("call-save", call), page_of(anna, call).data(confirm="AKUT"))
    assert fresh(call).urgency == "AKUT"


def test_a_script_confirms_with_nothing_else(anna, make_call):
    call = make_call(answers={"weapon": "yes"})
    answer = anna.post(url("call-save", call), {"confirm": "AKUT"}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert fresh(call).urgency == "AKUT"
    assert anna.post(url("call-save", call), {"confirm": "PANIC"}).status_code == 422
    assert fresh(call).urgency == "AKUT"


def test_answers_that_raise_it_ask_for_a_new_confirmation(anna, make_call):
    call = make_call(urgency="SKYNDSAM")
    anna.post(url("call-save", call), page_of(anna, call).data(a__weapon="yes"))
    saved = fresh(call)
    assert (saved.urgency, saved.urgency_at_least) == ("", "AKUT")


def test_an_urgency_that_is_high_enough_stays_confirmed(anna, make_call):
    call = make_call(urgency="AKUT")
    anna.post(url("call-save", call), page_of(anna, call).data(a__weapon="yes"))
    assert fresh(call).urgency == "AKUT"


def test_answer_and_finish_in_one_go_does_not_slip_past(anna, make_call):
    call = make_call()
    data = page_of(anna, call).data(a__weapon="yes")
    answer = anna.post(url("call-complete", call), data)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["urgency_reason"]
    assert fresh(call).completed_at is None
    assert fresh(call).answered == {"weapon": "yes"}


# ---------- Completing: the page ----------


def test_complete_goes_to_what_is_said_and_it_has_the_number(anna, make_call):
    call = make_call(answers={"r_violence": "yes"})
    answer = anna.post(url("call-complete", call), page_of(anna, call).data(n__assessment=WORDS))
    case = Case.objects.get()
    assert (answer.status_code, answer.url) == (303, url("call-after", call))
    assert f"Numret är {case}." in anna.get(answer.url).content.decode()
    assert case.urgency == "SKYNDSAM"
    assert note(fresh(call), "assessment") == WORDS
    connection.check_constraints()


def test_the_next_step_that_was_decided_is_planned(anna, make_call, at):
    with at("2026-11-23 14:05"):
        call = make_call()
        anna.post(url("call-save", call), {"what": "Ring modern", "due": "2026-11-25T10:30"})
        page = page_of(anna, call)
        assert ("what", "Ring modern") in page.sent
        assert ("due", "2026-11-25T10:30") in page.sent
        anna.post(url("call-complete", call), page.data())
    step = FollowUp.objects.select_related("case__key").get()
    assert (step.what, step.due_at) == ("Ring modern", dt.datetime(2026, 11, 25, 9, 30, tzinfo=dt.UTC))


def test_without_a_time_the_urgency_decides(anna, make_call, at):
    with at("2026-11-23 14:05"):
        call = make_call()
        anna.post(url("call-complete", call), page_of(anna, call).data())
        assert FollowUp.objects.get().due_at == first_step_due("NORMAL", clock.now())


@pytest.mark.parametrize("due", ["2026-11-23T14:04", "2028-01-01T10:00"])
def test_a_time_that_cannot_be_meant_is_refused(anna, make_call, at, due):
    with at("2026-11-23 14:05"):
        call = make_call()
        answer = anna.post(url("call-complete", call), page_of(anna, call).data(due=due, what="Ring"))
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["due"]
    assert fresh(call).completed_at is None
    assert "Ring" in answer.content.decode()


def test_complete_without_a_caller_type_keeps_the_words(anna, call):
    answer = anna.post(url("call-complete", call), page_of(anna, call).data(n__seen=WORDS))
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["caller_type"]
    assert note(fresh(call), "seen") == WORDS
    assert WORDS in answer.content.decode()
    assert fresh(call).completed_at is None


def test_a_lower_urgency_without_reason_is_asked_for_one(anna, make_call):
    call = make_call(answers={"weapon": "yes"})
    answer = anna.post(url("call-complete", call), page_of(anna, call).data(urgency="NORMAL", n__seen=WORDS))
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["urgency_reason"]
    assert note(fresh(call), "seen") == WORDS
    reason = {"urgency": "NORMAL", "urgency_reason": "Leksaksvapen"}
    assert anna.post(url("call-complete", call), page_of(anna, call).data(**reason)).status_code == 303
    assert Case.objects.get().urgency == "NORMAL"


def test_complete_without_a_case_says_so(anna, make_call):
    call = make_call(caller_type="other")
    answer = anna.post(url("call-complete", call), page_of(anna, call).data(), follow=True)
    assert answer.status_code == 200
    assert "The call is counted. No case was needed." in answer.content.decode()
    assert not Case.objects.exists()


def test_a_case_is_opened_when_it_is_asked_for(anna, make_call):
    call = make_call(caller_type="other")
    anna.post(url("call-complete", call), page_of(anna, call).data(open_case="yes"))
    assert Case.objects.count() == 1


def test_pressing_finish_twice_finishes_once(anna, make_call):
    call = make_call()
    data = page_of(anna, call).data()
    first, second = (anna.post(url("call-complete", call), data) for _ in range(2))
    assert first.url == second.url
    assert Case.objects.count() == 1


def test_words_that_come_too_late_are_shown_and_not_lost(anna, make_call, cast):
    call = make_call(notes={"seen": "förut"})
    data = page_of(anna, call).data(n__seen=WORDS)
    call = actions.save_call(by=cast.caseworker, call=call, facts={"urgency": "NORMAL"})
    actions.complete_call(by=cast.caseworker, call=call)
    for name in ("call-save", "call-complete", "call-quick", "call-void"):
        answer = anna.post(url(name, call), data)
        assert answer.status_code == 409
        assert WORDS in answer.content.decode()
    assert note(fresh(call), "seen") == "förut"


def test_a_finished_call_leads_to_its_case(anna, cast, make_call):
    call = actions.complete_call(by=cast.caseworker, call=make_call(urgency="NORMAL"))
    answer = anna.get(url("call", call))
    assert (answer.status_code, answer.url) == (302, reverse("intake:case", args=[call.case.slug]))


# ---------- Misdial, and a call that was opened by mistake ----------


def test_a_misdial_is_done_in_two_clicks(anna):
    there = anna.post(reverse("intake:call-start")).url
    made = Call.objects.get()
    page = Browser(anna.get(there).content.decode())
    answer = anna.post(url("call-quick", made), page.data(), follow=True)
    assert "The call is counted. No case was needed." in answer.content.decode()
    done = fresh(made)
    assert (done.caller_type, done.urgency, done.case) == ("misdial", "NORMAL", None)
    assert done.completed_at is not None
    assert not Case.objects.exists()


def test_a_misdial_twice_is_counted_once(anna, call):
    for _ in range(2):
        assert anna.post(url("call-quick", call)).status_code == 303
    assert events(call).count("call.completed") == 1


@pytest.mark.parametrize(
    "data",
    [
        {"n.seen": "x"},
        {"a.weapon": "no"},
        {"a.greet": "said"},
        {"r.weapon": "x"},
        {"caller_type": "relative"},
        {"municipality": "1499"},
        {"s.other": "x"},
        {"what": "Ring"},
        {"track": "B"},
    ],
)
def test_a_misdial_does_not_swallow_what_was_written(anna, call, data):
    answer = anna.post(url("call-quick", call), data)
    assert answer.status_code == 422
    assert fresh(call).completed_at is None
    assert anna.post(url("call-quick", call)).status_code == 422  # it was saved by the first
    assert "call-quick" not in anna.get(url("call", call)).content.decode()


def test_void_by_the_page(anna, call):
    assert anna.post(url("call-void", call), {"void_reason": " "}).status_code == 422
    assert fresh(call).voided_at is None
    answer = anna.post(url("call-void", call), {"void_reason": "Fel knapp"})
    assert (answer.status_code, answer.url) == (303, reverse("intake:my-day"))
    assert fresh(call).voided_at is not None
    assert "The call is taken away" in anna.get(url("call", call)).content.decode()
    assert anna.post(url("call-void", call), {"void_reason": "igen"}).status_code == 303
    assert events(call).count("call.voided") == 1

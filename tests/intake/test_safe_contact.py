"""Safe contact: what is agreed about reaching a person, line by line, and the number to call back."""

import pytest
from django.db import connection
from django.urls import reverse

from helpline.people.errors import Refused
from helpline.people.models import LogEntry
from intake import actions
from intake.models import Call, Case
from intake.safe import FIELDS, SafeContact

pytestmark = pytest.mark.django_db
AGREED = {
    "may_call": "no",
    "sms": "yes",
    "hours": "22.00–23.30",
    "voicemail": "no",
    "say_as": "Anna",
    "stop_word": "cykeln",
}


@pytest.fixture(autouse=True)
def without_upper_floors(settings):
    """This floor works with referrals taken out."""
    settings.PANELS = ""


@pytest.fixture
def call(cast):
    return actions.start_call(by=cast.caseworker)


@pytest.fixture
def case(make_call, cast):
    call = make_call(urgency="SKYNDSAM", urgency_reason="x", answers={"r_violence": "yes"})
    call = actions.save_call(by=cast.caseworker, call=call, safe=AGREED)
    done = actions.complete_call(by=cast.caseworker, call=call)
    return Case.objects.select_related("key", "owner", "unit").get(pk=done.case_id)


@pytest.fixture
def anna(client_of, cast):
    return client_of(cast.caseworker)


def page(client, call):
    return client.get(reverse("intake:call", args=[call.pk])).content.decode()


def save(client, call, **data):
    data = {name.replace("__", "."): value for name, value in data.items()}
    return client.post(reverse("intake:call-save", args=[call.pk]), data)


def fresh(call):
    return Call.objects.select_related("key").get(pk=call.pk)


# ---------- The table ----------


def test_the_table_asks_all_that_must_be_asked():
    assert list(FIELDS) == [
        *("may_call", "sms", "hours", "voicemail", "say_as", "may_hear", "stop_word", "no_interpreter", "other"),
    ]


def test_lines_read_in_words_and_what_is_forbidden_is_strong():
    lines = {line.key: line for line in SafeContact().changed(AGREED).lines}
    assert (lines["may_call"].label, lines["may_call"].value) == ("By phone", "do NOT call")
    assert (lines["voicemail"].value, lines["sms"].value) == ("leave NO message", "Yes")
    assert {key for key, line in lines.items() if line.is_strong} == {"may_call", "voicemail", "stop_word"}


def test_words_of_before_the_table_are_kept_under_other():
    for text in ("Bara sms efter nio.", "123", '{"a": 1}', "[1, 2]", '{"may_call"'):
        old = SafeContact.read(text)
        assert old.values == {"other": text}
        assert old.text == text
        assert SafeContact.read(old.write()) == old


def test_what_is_written_is_read_again():
    agreed = SafeContact().changed({**AGREED, "other": 'Två\nrader "citat"'})
    assert SafeContact.read(agreed.write()) == agreed
    assert SafeContact.read("") == SafeContact()
    assert SafeContact().write() == ""
    assert SafeContact().is_empty and not agreed.is_empty


def test_it_knows_what_is_forbidden():
    agreed = SafeContact().changed(AGREED)
    assert agreed.forbids_call and agreed.forbids_message
    free = agreed.changed({"may_call": "unknown", "voicemail": "yes"})
    assert not free.forbids_call and not free.forbids_message


@pytest.mark.parametrize("given", [{"fax": "yes"}, {"may_call": "perhaps"}, {"sms": "unknown"}])
def test_what_the_table_does_not_have_is_refused(given):
    with pytest.raises(Refused):
        SafeContact().changed(given)


def test_yes_and_no_of_a_file_are_answers():
    assert SafeContact().changed({"sms": True, "voicemail": False}).values == {"sms": "yes", "voicemail": "no"}


# ---------- In the call ----------


def test_saving_merges_by_line_so_that_two_windows_take_nothing(cast, call):
    actions.save_call(by=cast.caseworker, call=call, safe={"sms": "yes", "hours": "kvällar"})
    saved = actions.save_call(by=cast.caseworker, call=call, safe={"stop_word": "cykeln", "hours": ""})
    assert saved.safe.values == {"sms": "yes", "stop_word": "cykeln"}
    assert LogEntry.objects.filter(event="call.saved").latest("pk").codes == {"parts": ["hours", "stop_word"]}
    connection.check_constraints()


def test_a_line_that_does_not_exist_saves_nothing(cast, call):
    with pytest.raises(Refused):
        actions.save_call(by=cast.caseworker, call=call, safe={"fax": "x"}, notes={"seen": "x"})
    assert not call.notes.exists()


def test_it_stands_sealed(cast, call):
    actions.save_call(by=cast.caseworker, call=call, safe=AGREED)
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM intake_call t")
        found = str(cursor.fetchall())
    assert "cykeln" not in found and b"cykeln".hex() not in found


def test_the_page_saves_each_line_as_its_own_field(anna, call):
    assert save(anna, call, s__may_call="no", s__stop_word="cykeln").status_code == 303
    assert save(anna, call, s__other="Hunden skäller\r\nvid dörren").status_code == 303
    assert fresh(call).safe.values == {"may_call": "no", "stop_word": "cykeln", "other": "Hunden skäller\nvid dörren"}
    text = page(anna, call)
    assert all(f'name="s.{key}"' in text for key in FIELDS)
    assert 'value="cykeln"' in text
    save(anna, call, clear="s.may_call")
    assert "may_call" not in fresh(call).safe.values


def test_a_wrong_choice_is_a_fault_at_its_field_and_the_rest_is_kept(anna, call):
    answer = save(anna, call, s__sms="perhaps", s__hours="kvällar")
    assert answer.status_code == 422
    assert "id_s.sms_error" in answer.content.decode() or "perhaps" in answer.content.decode()
    assert fresh(call).safe.values == {"hours": "kvällar"}
    assert save(anna, call, s__fax="x").status_code == 422


# ---------- The number to call back ----------


def test_a_number_is_asked_only_where_we_are_to_call_back_on_every_track(anna, call, cast):
    assert 'name="phone"' not in page(anna, call)
    for agreed in ({"may_call": "yes"}, {"may_call": "no", "sms": "yes"}):
        actions.save_call(by=cast.caseworker, call=call, safe=agreed)
        for track in "ABC":
            actions.save_call(by=cast.caseworker, call=call, facts={"track": track})
            assert 'name="phone"' in page(anna, call)


def test_only_the_taker_sees_the_number(anna, call, cast, client_of):
    actions.save_call(by=cast.caseworker, call=call, facts={"phone": "070-174 06 05"}, safe={"may_call": "yes"})
    assert "070-174 06 05" in page(anna, call)
    bert = client_of(cast.colleague)
    assert "070-174 06 05" not in page(bert, call)
    for name in ("call-save", "call-complete", "call-quick", "call-void"):
        sent = {"track": "Z", "n.seen": "x"}
        assert "070-174 06 05" not in bert.post(reverse(f"intake:{name}", args=[call.pk]), sent).content.decode()
    assert fresh(call).phone == "070-174 06 05"


# ---------- In the case ----------


def test_the_case_begins_with_it(anna, case):
    assert case.safe.values == AGREED
    text = anna.get(reverse("intake:case", args=[case.slug])).content.decode()
    assert "do NOT call" in text and "cykeln" in text
    assert '<dd class="as-written strong">do NOT call</dd>' in text
    assert '<dd class="as-written">22.00–23.30</dd>' in text


def test_it_is_changed_and_the_old_words_are_kept(cast, case):
    actions.change_safe_contact(by=cast.caseworker, case=case, safe={"stop_word": "regnet", "hours": ""})
    case.refresh_from_db()
    assert case.safe.values == {
        "may_call": "no",
        "sms": "yes",
        "voicemail": "no",
        "say_as": "Anna",
        "stop_word": "regnet",
    }
    event = case.events.get(kind="safe.changed")
    assert "Stop word: cykeln" in event.text and "When: 22.00–23.30" in event.text
    entry = LogEntry.objects.get(event="safe.changed")
    assert (entry.user, entry.case, entry.codes) == (cast.caseworker, case.pk, {})
    connection.check_constraints()


def test_what_says_nothing_new_leaves_no_line(cast, case):
    actions.change_safe_contact(by=cast.caseworker, case=case, safe={"stop_word": " cykeln "})
    assert not case.events.filter(kind="safe.changed").exists()


def test_the_page_of_it_changes_what_was_changed_on_it(anna, case, cast):
    url = reverse("intake:case-safe", args=[case.slug])
    text = anna.get(url).content.decode()
    assert 'name="initial-s.stop_word"' in text
    opened = {f"initial-s.{key}": AGREED.get(key, "") for key in FIELDS}
    actions.change_safe_contact(by=cast.caseworker, case=case, safe={"hours": "på lunchen"})  # another window
    sent = {**opened, **{f"s.{key}": AGREED.get(key, "") for key in FIELDS}, "s.stop_word": "regnet"}
    assert anna.post(url, sent).status_code == 302
    case.refresh_from_db()
    assert case.safe.values == {**AGREED, "stop_word": "regnet", "hours": "på lunchen"}
    assert anna.post(url, sent).status_code == 302
    assert case.events.filter(kind="safe.changed").count() == 2


def test_a_refused_page_comes_back_filled_in(anna, case):
    url = reverse("intake:case-safe", args=[case.slug])
    answer = anna.post(url, {"s.stop_word": "x" * 81, "s.other": "Hunden"})
    assert answer.status_code == 422
    assert "x" * 81 in answer.content.decode() and "Hunden" in answer.content.decode()


@pytest.mark.parametrize("who, status", [("partner", 403), ("keeper", 403), ("stranger", 404), ("colleague", 302)])
def test_others_do_not_change_it(client_of, cast, case, who, status):
    url = reverse("intake:case-safe", args=[case.slug])
    client = client_of(getattr(cast, who))
    assert client.get(url).status_code == status
    assert client.post(url, {"s.other": "x"}).status_code == (403 if status == 302 else status)
    case.refresh_from_db()
    assert case.safe.values == AGREED

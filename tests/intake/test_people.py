"""The people in a case: listed, changed, taken off the list; names only where the track holds them."""

import pytest
from django.db import connection
from django.urls import reverse

from helpline.people.errors import Refused, TooLate
from helpline.people.models import LogEntry
from intake import actions
from intake.models import Case, Person

pytestmark = pytest.mark.django_db
SOMEBODY = {"part": "household", "relation": "sibling", "age_band": "12-14"}


def url(name, case, *rest):
    return reverse(f"intake:{name}", args=[case.slug, *rest])


@pytest.fixture
def case(make_case) -> Case:
    return make_case(track="B", identity="named", caller_name="Mary Hill", phone="070", answers={"named": "said"})


def test_somebody_is_added(client_of, cast, case):
    client = client_of(cast.caseworker)
    assert client.post(url("people", case), {**SOMEBODY, "name": "Tom"}).status_code == 302
    connection.check_constraints()
    page = client.get(url("people", case)).content.decode()
    assert "Tom" in page and "Sibling" in page and "12–14 years" in page
    row = LogEntry.objects.get(event="person.added", case=case.pk)
    assert row.codes == {"part": "household"} and "Tom" not in str(row.codes)
    assert case.events.get(kind="person.added").title == "Added: Somebody in the household"
    assert "Tom" in client.get(url("case", case)).content.decode()


def test_somebody_is_changed(client_of, cast, case):
    one = case.people.get(part="concern")
    client = client_of(cast.caseworker)
    data = {"part": "concern", "relation": "child", "age_band": "18-19", "name": ""}
    assert client.post(url("person-edit", case, one.pk), data).status_code == 302
    assert client.post(url("person-edit", case, one.pk), data).status_code == 302
    one.refresh_from_db()
    assert (one.relation, one.age_band) == ("child", "18-19")
    assert Case.objects.get(pk=case.pk).age_band == "18-19"  # the law reads the age there
    assert LogEntry.objects.filter(event="person.changed", case=case.pk).count() == 1


def test_of_several_persons_of_concern_the_youngest_counts(cast, case):
    actions.add_person(by=cast.caseworker, case=case, facts={"part": "concern", "age_band": "0-11"})
    assert Case.objects.get(pk=case.pk).age_band == "0-11"


def test_somebody_is_taken_off_the_list_and_the_row_remains(client_of, cast, case):
    one = actions.add_person(by=cast.caseworker, case=case, facts={**SOMEBODY, "name": "Tom"})
    client = client_of(cast.caseworker)
    for _twice in range(2):
        assert client.post(url("person-remove", case, one.pk)).status_code == 302
    assert "Tom" not in client.get(url("people", case)).content.decode()
    assert not case.people.filter(pk=one.pk).exists()
    assert Person.everybody.get(pk=one.pk).unlisted_at is not None
    assert LogEntry.objects.filter(event="person.removed", case=case.pk).count() == 1
    assert client.get(url("person-edit", case, one.pk)).status_code == 404
    with pytest.raises(TooLate):
        actions.change_person(by=cast.caseworker, person=one, facts={"relation": "friend"})


def test_one_caller_stays(client_of, cast, case):
    caller = case.people.get(part="caller")
    with pytest.raises(Refused):
        actions.remove_person(by=cast.caseworker, person=caller)
    with pytest.raises(Refused):
        actions.change_person(by=cast.caseworker, person=caller, facts={"part": "household"})
    answer = client_of(cast.caseworker).post(url("person-remove", case, caller.pk), follow=True)
    assert "one caller stays" in answer.content.decode()
    actions.add_person(by=cast.caseworker, case=case, facts={"part": "caller"})
    actions.remove_person(by=cast.caseworker, person=caller)
    gone = Person.everybody.get(pk=caller.pk)
    assert (gone.phone, gone.phone_until) == ("", None)  # nobody is called back who is not there
    assert case.events.filter(kind="number.erased").count() == 1


def test_advice_has_no_names(client_of, cast, make_case):
    case = make_case(track="A")
    client = client_of(cast.caseworker)
    page = client.get(url("people", case)).content.decode()
    assert 'name="name"' not in page and "No names are kept here" in page
    answer = client.post(url("people", case), {**SOMEBODY, "name": "Tom"})
    assert answer.status_code == 422 and "No name is kept here" in answer.content.decode()
    assert client.post(url("people", case), SOMEBODY).status_code == 302
    assert case.people.count() == 3


def test_who_stands_as_anonymous_gets_no_name(cast, make_case):
    case = make_case(track="B")
    with pytest.raises(Refused, match="anonymous"):
        actions.change_person(by=cast.caseworker, person=case.people.get(part="caller"), facts={"name": "Mary"})


@pytest.mark.parametrize(
    ("facts", "at"),
    [
        ({"part": "dog"}, "part"),
        ({"relation": "enemy"}, "relation"),
        ({"age_band": "99"}, "age_band"),
        ({"phone": "1"}, ""),
    ],
)
def test_unknown_codes_are_refused(cast, case, facts, at):
    with pytest.raises(Refused) as refused:
        actions.add_person(by=cast.caseworker, case=case, facts={**SOMEBODY, **facts})
    assert refused.value.at == at


def test_bad_input_comes_back_as_it_was_written(client_of, cast, case):
    answer = client_of(cast.caseworker).post(url("people", case), {**SOMEBODY, "age_band": "99", "name": "Tom"})
    assert answer.status_code == 422 and 'value="Tom"' in answer.content.decode()


def test_who_may(client_of, cast, case):
    one = case.people.get(part="concern")
    wanted = {"stranger": 404, "other_manager": 404}  # of the unit: a reason first, and what was sent is given back
    for who, user in cast.everybody().items():
        if who != "caseworker":
            client = client_of(user)
            for name, rest in (("people", []), ("person-edit", [one.pk]), ("person-remove", [one.pk])):
                assert client.post(url(name, case, *rest), SOMEBODY).status_code == wanted.get(who, 403), (who, name)
    client = client_of(cast.caseworker)
    assert client.get(url("person-remove", case, one.pk)).status_code == 405
    assert client.post(url("person-remove", case, "00000000-0000-7000-8000-000000000000")).status_code == 404


def test_a_person_of_another_case_is_not_here(client_of, cast, case, make_case):
    other = make_case().people.get(part="concern")
    assert client_of(cast.caseworker).get(url("person-edit", case, other.pk)).status_code == 404
    assert client_of(cast.caseworker).post(url("person-remove", case, other.pk)).status_code == 404


def test_the_page_asks_no_more_of_the_database_for_more_people(client_of, cast, case, django_assert_max_num_queries):
    client = client_of(cast.caseworker)
    for _more in range(8):
        actions.add_person(by=cast.caseworker, case=case, facts={**SOMEBODY, "name": "Tom"})
    with django_assert_max_num_queries(14):
        client.get(url("people", case))


# -- the personal number ---

NUMBER = {"personal_number": "811218-9876"}


def test_a_personal_number_is_checked_kept_and_masked_in_the_list(client_of, cast, case):
    client = client_of(cast.caseworker)
    assert client.post(url("people", case), {**SOMEBODY, "name": "Tom", **NUMBER}).status_code == 302
    tom = case.people.get(part="household")
    assert tom.personal_number == "198112189876"
    page = client.get(url("people", case)).content.decode()
    assert (
        "19811218-••••" in page and "9876" not in page and "9876" not in client.get(url("case", case)).content.decode()
    )
    page = client.get(url("person-edit", case, tom.pk)).content.decode()
    assert "19811218-9876" in page
    assert LogEntry.objects.filter(event="person.read", case=case.pk, row=str(tom.pk)).count() == 1
    for row in LogEntry.objects.all():
        assert "811218" not in f"{row.codes} {row.row}"
    data = {**SOMEBODY, "name": "Tom", "personal_number": ""}
    assert client.post(url("person-edit", case, tom.pk), data).status_code == 302
    assert case.people.get(pk=tom.pk).personal_number == ""


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"personal_number": "811218-9877"}, "last digit"),
        ({"personal_number": "811218"}, "ten or twelve"),
        ({**NUMBER, "name": ""}, "Write the name too"),
        ({"personal_number": "8112\x0018-9876"}, "control character"),
        ({"personal_number": "9" * 1_000_000}, "too long"),
    ],
)
def test_a_wrong_personal_number_is_refused_at_its_field(client_of, cast, case, facts, said):
    answer = client_of(cast.caseworker).post(url("people", case), {**SOMEBODY, "name": "Tom", **facts})
    assert answer.status_code == 422 and said in answer.content.decode()
    assert "personal_number" in answer.context["form"].errors and not case.people.filter(part="household").exists()


def test_where_there_is_no_place_for_one_there_is_no_field(client_of, cast, make_case, case):
    client = client_of(cast.caseworker)
    advice = make_case(track="A")
    assert 'name="personal_number"' in client.get(url("people", case)).content.decode()
    assert 'name="personal_number"' not in client.get(url("people", advice)).content.decode()
    answer = client.post(url("people", advice), {**SOMEBODY, **NUMBER})
    assert answer.status_code == 422 and not Person.objects.exclude(personal_number=b"").exists()
    actions.change_protection(by=cast.caseworker, case=case, level="fictitious_identity", why="New identity.")
    assert 'name="personal_number"' not in client.get(url("people", case)).content.decode()
    answer = client.post(url("people", case), {**SOMEBODY, "name": "Tom", **NUMBER})
    assert answer.status_code == 422 and "fictitious identity" in answer.content.decode()


def test_only_of_a_caller_who_is_named(cast, make_case):
    case = make_case(track="B", caller_name="The neighbour", identity="pseudonym")
    with pytest.raises(Refused, match="who is named"):
        actions.change_person(by=cast.caseworker, person=case.people.get(part="caller"), facts=NUMBER)


def test_lower_identity_takes_the_number_along_and_no_timeline_keeps_it(cast, make_case):
    case = make_case(track="C", caller_name="Mary Hill", **NUMBER)
    assert case.people.get(part="caller").personal_number == "198112189876"
    actions.change_track(
        by=cast.caseworker, case=case, track="C", identity="pseudonym", why="Wants it.", name="Neighbour"
    )
    assert case.people.get(part="caller").personal_number == ""
    text = case.events.filter(kind="track.changed").latest("at").text
    assert "Mary Hill" in text and "9876" not in text


# -- in the call ---


def save(client, call, **data):
    return client.post(reverse("intake:call-save", args=[call.pk]), data)


def test_in_a_call_the_number_stands_beside_the_name(client_of, cast, make_call):
    client = client_of(cast.caseworker)
    call = make_call(track="B")
    page = reverse("intake:call", args=[call.pk])
    assert 'name="personal_number"' not in client.get(page).content.decode()
    answer = save(client, call, **NUMBER)
    assert answer.status_code == 422 and "Say first what giving a name means" in answer.content.decode()
    save(client, call, **{"a.named": "said", "identity": "named", "caller_name": "Mary Hill", **NUMBER})
    call.refresh_from_db()
    assert call.personal_number == "198112189876" and 'name="personal_number"' in client.get(page).content.decode()
    assert save(client, call, personal_number="811218-9877").status_code == 422
    call.refresh_from_db()
    assert call.personal_number == "198112189876"


def test_a_call_with_a_number_and_no_name_is_not_finished(cast, make_call):
    call = make_call(track="B", answers={"named": "said"}, urgency="SKYNDSAM", urgency_reason="-", **NUMBER)
    with pytest.raises(Refused, match="write the name"):
        actions.complete_call(by=cast.caseworker, call=call)

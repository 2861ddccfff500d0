"""Every refused attempt is a row of the log, whatever became of the rest; where the log cannot be written there is no page."""

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import resolve, reverse

from helpline.people import refusals
from helpline.people.audit import NotLogged, log
from helpline.people.models import LogEntry

NOWHERE = "00000000-0000-7000-8000-000000000000"


def refused() -> list[LogEntry]:
    return list(LogEntry.objects.filter(event__endswith=".refused").order_by("id"))


def test_a_role_without_the_act(cast, client_of):
    page = client_of(cast.partner).get(reverse("caseload-rows", args=["open"]), REMOTE_ADDR="192.0.2.7")
    assert page.status_code == 403
    [row] = refused()
    assert (row.event, row.user, row.role, row.source) == ("access.refused", cast.partner, "partner", "192.0.2.7")
    assert row.codes == {"view": "caseload-rows", "method": "GET", "status": 403} and row.row == ""


def test_a_case_of_another_unit_and_one_that_is_not_there(cast, client_of, make_case):
    theirs, case = client_of(cast.stranger), make_case()
    for code in (case.slug, "ingen-alls-99"):
        assert theirs.get(reverse("intake:case", args=[code])).status_code == 404
    assert [(row.event, row.row) for row in refused()] == [("case.refused", case.code), ("case.refused", "unknown")]


def test_what_was_typed_in_the_address_is_not_kept(cast, client_of):
    client_of(cast.partner).get(reverse("intake:case", args=["Maja-Lind-19900101"]))
    client_of(cast.manager).get(reverse("caseload-rows", args=["Maja Lind"]))
    Client().get(reverse("portal:look", args=["Maja-Lind"]))
    rows = refused()
    assert [(row.row, row.codes.get("status")) for row in rows] == [("unknown", 403), ("", 404), ("", 404)]
    assert "Lind" not in str(list(LogEntry.objects.values())) and rows[2].user is None and rows[2].source is None


@pytest.mark.parametrize("name", ["intake:call-heavy", "intake:notice-open", "intake:shift-withdraw"])
def test_every_row_of_another_is_one_row(name, cast, client_of, make_call):
    url = reverse(name, args=[7 if "shift" in name else NOWHERE])
    assert client_of(cast.colleague).post(url, {"heavy": "yes"}).status_code in (404, 405)
    method = "post" if name != "intake:notice-open" else "get"
    assert getattr(client_of(cast.colleague), method)(url).status_code == 404
    assert [row.row for row in refused()][-1] == ("7" if "shift" in name else NOWHERE)


def test_a_form_without_its_key(cast):
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.caseworker, backend="django.contrib.auth.backends.ModelBackend")
    assert client.post(reverse("intake:call-start"), {"what": "Maja Lind"}).status_code == 403
    [row] = refused()
    assert (row.user, row.codes["view"], row.codes["method"]) == (cast.caseworker, "intake:call-start", "POST")


def test_one_row_a_refusal_and_none_for_what_is_let_in(cast, client_of, make_case):
    case = make_case()
    assert client_of(cast.caseworker).get(reverse("intake:case", args=[case.slug])).status_code == 200
    assert client_of(cast.caseworker).get("/nothing-of-ours/").status_code == 404
    assert refused() == []


def test_strangers_do_not_fill_the_log(db):
    for _turn in range(refusals.A_MINUTE + 5):
        assert Client().get(reverse("portal:look", args=["nothing"]), REMOTE_ADDR="192.0.2.9").status_code == 404
    assert 0 < len(refused()) <= 2 * refusals.A_MINUTE  # a new minute may have begun


def knock(times: int, address: str = "192.0.2.9", **sent: str) -> list[int]:
    """So many at the log-in, from one place, in this minute."""
    client = Client()
    return [client.post(reverse("account_login"), sent, REMOTE_ADDR=address).status_code for _turn in range(times)]


@pytest.fixture
def few(cast, settings):
    """Three at the log-in in a minute, and a cache that has counted none."""
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "login": "3/m/ip"}
    cache.clear()


def turned_away() -> list[LogEntry]:
    return list(LogEntry.objects.filter(event="user.login_throttled"))


def test_who_comes_too_often_to_the_log_in_is_a_row_each_time(few, cast):
    assert knock(5, login="Maja Lind", password="hemligt") == [200, 200, 200, 429, 429]
    rows = turned_away()
    assert [(row.codes, row.source, row.user, row.row) for row in rows] == [
        ({"step": "door"}, "192.0.2.9", None, "")
    ] * 2
    assert refused() == []  # and none besides
    assert "Lind" not in str(list(LogEntry.objects.values())) and "hemligt" not in str(list(LogEntry.objects.values()))
    connection.check_constraints()


def test_nobody_else_is_turned_away_for_it(few, cast):
    knock(5)
    assert knock(1, "192.0.2.10") == [200] and len(turned_away()) == 2


def test_a_crowd_at_the_log_in_does_not_fill_the_log(few, cast):
    assert knock(refusals.A_MINUTE + 10).count(429) > refusals.A_MINUTE
    assert 0 < len(turned_away()) <= 2 * refusals.A_MINUTE  # a new minute may have begun


def test_the_door_for_passkeys_and_the_shut_one_for_newcomers_too(cast):
    """Whatever of allauth's own says that it was too often."""
    for name in sorted(refusals.DOORS):
        path = reverse(name)
        request = RequestFactory().post(path)
        request.user, request.resolver_match = AnonymousUser(), resolve(path)
        refusals.RefusalsMiddleware(lambda request: HttpResponse(status=429))(request)
    assert [row.codes for row in turned_away()] == [{"step": "door"}] * len(refusals.DOORS)


def test_elsewhere_too_often_is_a_refusal_like_any_other(cast):
    request = RequestFactory().post(reverse("intake:search"))
    request.user, request.resolver_match = cast.caseworker, resolve(reverse("intake:search"))
    refusals.RefusalsMiddleware(lambda request: HttpResponse(status=429))(request)
    [row] = refused()
    assert (row.user, row.codes["status"], row.codes["view"]) == (cast.caseworker, 429, "intake:search")


@pytest.mark.django_db(transaction=True)
def test_a_refusal_outlives_what_is_rolled_back(cast, client_of, make_case):
    """number.refused is written in the transaction that the refusal then takes back."""
    case = make_case()
    theirs = client_of(cast.colleague)
    theirs.post(reverse("intake:case-reason", args=[case.slug]), {"reason": "supervision"})
    theirs.post(reverse("intake:number-set", args=[case.slug]), {"phone": "0701234567"})
    [row] = refused()
    assert (row.event, row.user, row.case) == ("number.refused", cast.colleague, case.pk)
    assert "0701234567" not in str(list(LogEntry.objects.values()))


# -- no row, no page ---------------------------------------------------------------------------------------------------


def as_owner(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE NONE")
        try:
            cursor.execute(statement)
        finally:
            cursor.execute(f"SET ROLE {settings.APP_ROLE}")


@pytest.fixture
def no_log(cast):
    """The log takes no row: the role may not write it."""
    as_owner(f"REVOKE INSERT ON people_logentry FROM {settings.APP_ROLE}")
    yield
    as_owner(f"GRANT INSERT ON people_logentry TO {settings.APP_ROLE}")


@pytest.fixture
def no_chain(cast):
    """The log takes rows, and its chain fails when the transaction is to be committed."""
    as_owner("ALTER TABLE people_loglink ADD CONSTRAINT broken CHECK (entry < 0) NOT VALID")
    yield
    as_owner("ALTER TABLE people_loglink DROP CONSTRAINT broken")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("fault", ["no_log", "no_chain"])
def test_without_a_row_there_is_no_page(fault, request, cast, client_of, make_case):
    case = make_case(track="B", caller_name="Maja Lind", notes={"seen": "en kniv"})
    theirs, strangers = client_of(cast.caseworker), client_of(cast.stranger)
    url = reverse("intake:case", args=[case.slug])
    assert b"kniv" in theirs.get(url).content
    before = LogEntry.objects.count()
    request.getfixturevalue(fault)
    for client in (theirs, strangers):
        page = client.get(url)
        assert page.status_code == 503 and b"kniv" not in page.content and b"Maja" not in page.content
        assert case.slug.encode() not in page.content
    assert theirs.post(reverse("intake:note-add", args=[case.slug]), {"kind": "seen", "text": "x"}).status_code == 503
    assert client_of(cast.partner).get(reverse("caseload")).status_code == 503
    assert LogEntry.objects.count() == before and case.notes.filter(kind="seen").count() == 0


@pytest.mark.django_db(transaction=True)
def test_what_cannot_be_logged_is_not_done(cast, make_case, no_chain):
    from intake import actions as intake

    with pytest.raises(DatabaseError) as told:
        intake.start_call(by=cast.caseworker)
    assert (
        refusals.RefusalsMiddleware(lambda _request: None)
        .process_exception(RequestFactory().get("/"), told.value)
        .status_code
        == 503
    )
    assert not LogEntry.objects.filter(event="call.started").exists()


@pytest.mark.django_db(transaction=True)
def test_the_log_says_so_itself(cast, no_log):
    with pytest.raises(NotLogged):
        log("case.read", by=cast.manager)


def test_another_fault_of_the_database_is_none_of_the_log(db):
    with pytest.raises(DatabaseError) as told, connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM nothing_of_ours")
    assert refusals.RefusalsMiddleware(lambda _request: None).process_exception(None, told.value) is None


@pytest.mark.parametrize(
    ("who", "name"),
    [
        ("manager", "disposals:disposal"),
        ("keeper", "keeper:user-edit"),
        ("keeper", "keeper:agency-edit"),
        ("caseworker", "intake:shift-take"),
        ("caseworker", "intake:absence-edit"),
        ("manager", "log:review"),
        ("partner", "portal:person"),
    ],
)
def test_a_very_long_number_is_not_there_and_is_a_row(who, name, cast, client_of):
    answer = client_of(getattr(cast, who)).get(reverse(name, args=[int("9" * 90)]))
    assert answer.status_code in (403, 404)
    assert refused() or LogEntry.objects.filter(event="disposal.hidden").exists()


def test_words_are_given_back_where_the_log_cannot_be_written(cast, client_of, make_case, make_call, monkeypatch):
    case, call, theirs = make_case(), make_call(), client_of(cast.caseworker)
    monkeypatch.setattr("helpline.people.audit.write", lambda entry: (_ for _ in ()).throw(NotLogged("x")))
    words = "She wants to leave."
    for url, form in {
        reverse("intake:note-add", args=[case.slug]): {"text": words},
        reverse("intake:call-save", args=[call.pk]): {"note.seen": words},
    }.items():
        answer = theirs.post(url, form)
        assert answer.status_code == 503 and words in answer.content.decode()
        assert "It may not be saved" in answer.content.decode()
    assert "It may not be saved" not in theirs.get(reverse("intake:case", args=[case.slug])).content.decode()

"""The directory, as staff read it."""

from django.db import connection
from django.test.utils import CaptureQueriesContext

from helpline.people.models import Municipality
from referrals.models import AgencyAbsence, PartnerAgency


def listed(client, query="") -> list[PartnerAgency]:
    return [entry.agency for entry in client.get("/agencies/" + query).context["entries"]]


def test_the_active_ones_by_name_with_phone_and_what_they_meet(client_of, cast):
    PartnerAgency.objects.filter(type="SAPO").update(is_active=False)
    client = client_of(cast.caseworker)
    assert listed(client) == list(PartnerAgency.objects.active().order_by("name"))
    html = client.get("/agencies/?type=EXIT").content.decode()
    assert cast.other_agency.phone in html and "Support to leave" in html


def test_by_type_and_by_municipality(client_of, cast):
    client = client_of(cast.caseworker)
    assert listed(client, "?type=SOC_CHILD&municipality=1499") == [cast.agency]
    near = listed(client, "?municipality=1499")
    assert cast.other_agency in near  # serves the whole country
    assert not any(agency.name.endswith(", Skara") for agency in near)
    assert listed(client, "?type=nonsense") == listed(client)


def test_open_now(client_of, cast, at):
    client = client_of(cast.caseworker)
    for moment, is_open in [("2026-11-23 10:00", True), ("2026-11-22 10:00", False)]:
        with at(moment):
            [entry] = client.get("/agencies/?type=EXIT").context["entries"]
            assert entry.is_open is is_open


def test_who_may_read_it(client_of, cast):
    expected = {"caseworker": 200, "manager": 200, "stranger": 200, "partner": 403, "keeper": 403}
    for name, status in expected.items():
        assert client_of(cast.everybody()[name]).get("/agencies/").status_code == status, name
    assert client_of(cast.caseworker).post("/agencies/").status_code == 405


def test_as_many_questions_however_many_agencies(client_of, cast):
    client = client_of(cast.caseworker)
    client.get("/agencies/")  # the session is there
    counts = []
    for query in ("?type=EXIT", ""):
        with CaptureQueriesContext(connection) as queries:
            client.get("/agencies/" + query)
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert Municipality.objects.count() > 10


def test_by_what_they_meet(client_of, cast):
    PartnerAgency.objects.filter(pk=cast.other_agency.pk).update(needs=["housing"])
    client = client_of(cast.caseworker)
    found = listed(client, "?need=housing")
    assert cast.other_agency in found and cast.agency not in found
    assert cast.other_agency not in listed(client, "?need=exit_support")  # its own, not its type's
    assert {need for agency in found for need in agency.meets} >= {"housing"}


def test_whom_it_serves_is_read_at_a_glance(client_of, cast):
    facts = {"minimum_age": 13, "maximum_age": 25, "languages": ["ar"], "sdk_address": "exit@sdk.example"}
    PartnerAgency.objects.filter(pk=cast.other_agency.pk).update(**facts, description="För den som vill lämna.")
    html = client_of(cast.caseworker).get("/agencies/?type=EXIT").content.decode()
    for words in (
        "13 to 25 years",
        "Arabic",
        "exit@sdk.example",
        "För den som vill lämna.",
        "Never checked",
        "mon–fri",
    ):
        assert words in html, words
    PartnerAgency.objects.filter(pk=cast.other_agency.pk).update(maximum_age=None, verified_on="2026-01-02")
    html = client_of(cast.caseworker).get("/agencies/?type=EXIT").content.decode()
    assert "from 13 years" in html and "Checked" in html


def test_a_confidential_one_is_marked(client_of, cast):
    client = client_of(cast.caseworker)
    assert "Confidential" not in client.get("/agencies/?type=EXIT").content.decode()
    PartnerAgency.objects.filter(pk=cast.other_agency.pk).update(is_confidential=True)
    assert "Tell nobody where it is." in client.get("/agencies/?type=EXIT").content.decode()


def test_one_that_is_away_today_is_not_open(client_of, cast, at):
    with at("2026-11-23 10:00"):
        AgencyAbsence.objects.create(agency=cast.other_agency, first_day="2026-11-23", last_day="2026-11-24")
        [entry] = client_of(cast.caseworker).get("/agencies/?type=EXIT").context["entries"]
        assert not entry.is_open


def test_an_agency_can_be_told_the_names_of_others_but_never_of_a_confidential_one(cast):
    assert cast.other_agency in PartnerAgency.objects.nameable()
    PartnerAgency.objects.filter(pk=cast.other_agency.pk).update(is_confidential=True)
    assert cast.other_agency not in PartnerAgency.objects.nameable()

"""The directory, as staff read it."""

from django.db import connection
from django.test.utils import CaptureQueriesContext

from helpline.people.models import Municipality
from referrals.models import PartnerAgency


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

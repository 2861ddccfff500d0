"""What is another's is named in no form of ours; and the tests that send odd things see what they look for."""

from types import SimpleNamespace

from django import forms
from django.http import HttpResponse, QueryDict

from helpline.people import clock
from helpline.people.models import Absence
from tests.fuzz.attack import Watched, every_form
from tests.fuzz.foreign import every_foreign, others_of, streets_of
from tests.house.test_bad_input import forms_at, watch  # noqa: F401
from tests.house.worlds import db, kept, worlds  # noqa: F401


def test_what_is_anothers_is_refused_in_every_field_that_names_something(worlds, db, forms_at, monkeypatch):  # noqa: F811
    tally = every_foreign(streets_of(worlds), forms_at, Watched(monkeypatch), others_of(worlds))
    assert tally.faults == [], "\n".join(tally.faults[:20])
    assert {"intake:case-reassign to", "intake:shift to", "intake:absence-list deputy"} <= tally.places


def planted(answer):
    """A form of one field behind a client that answers so."""
    fields = {"deputy": forms.ChoiceField(choices=[("1", "Anna")]), "text": forms.CharField(required=False)}
    client = SimpleNamespace(post=lambda url, data, content_type: answer(QueryDict(data)))
    return client, lambda name, client, url: [
        ({}, "PlantedForm", {"text": fields["text"]}, {"deputy": fields["deputy"]})
    ]


def test_a_form_that_stores_what_is_anothers_is_seen(worlds, db, monkeypatch):  # noqa: F811
    def stores(status):
        def answer(sent):
            if sent.get("deputy", "").isdigit():
                day = clock.today()
                Absence.objects.create(
                    user=worlds.cast.colleague, deputy_id=sent["deputy"], first_day=day, last_day=day
                )
            return HttpResponse(status=status)

        return answer

    others = {name: value for name, value in others_of(worlds).items() if name == "colleague"}
    for status, said in ((302, "takes colleague"), (422, "stores colleague")):
        client, forms_of = planted(stores(status))
        street = SimpleNamespace(name="planted", client=client, url="/")
        tally = every_foreign([street], forms_of, Watched(monkeypatch), others)
        assert any(said in fault for fault in tally.faults), status


def test_a_form_that_fails_behind_its_fields_is_seen(worlds, db, monkeypatch):  # noqa: F811
    """Only where the choice beside it is a real one: what was sent all at once never came so far."""

    def answer(sent):
        if sent.get("deputy") != "1":
            return HttpResponse(status=422)
        return HttpResponse(status=500 if "<" in sent.get("text", "") else 302)

    client, forms_of = planted(answer)
    tally = every_form([("planted", client, "/")], forms_of, Watched(monkeypatch), ["%3Cscript%3E", "a"])
    assert any("500" in fault for fault in tally.faults)
    assert tally.statuses[422] and tally.statuses[302] and not tally.closed

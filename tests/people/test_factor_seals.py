"""The secret of a second factor is its owner's: in another person's row it opens nothing, whoever has put it there."""

import importlib
from types import SimpleNamespace

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import decrypt, encrypt
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test import Client
from django.urls import reverse

from helpline.people import rotation
from helpline.people.factor_seals import Unreadable, opens, seal, seal_again
from helpline.people.models import LogEntry, User
from helpline.people.sealed import master_keys
from helpline.people.second_factor import codes_left
from tests.people.factors import code_of, enrol, log_in, second_step

pytestmark = pytest.mark.django_db
NEXT = "next:" + "B" * 43 + "="
migration = importlib.import_module("helpline.people.migrations.0009_bound_factors")


@pytest.fixture(autouse=True)
def at_night():
    """The clock stands, so that a code does not run out in the middle of a test."""
    with time_machine.travel("2026-11-25 02:00:01+00:00", tick=False) as clock:
        yield clock


@pytest.fixture
def two(cast) -> tuple[User, User]:
    """Hanna and Cecilia, each with an app and recovery codes of her own, and logged out."""
    for user in (cast.keeper, cast.manager):
        theirs = Client()
        log_in(theirs, user)
        enrol(theirs)
    return cast.keeper, cast.manager


def stored(user: User, kind: str = "totp") -> dict:
    return Authenticator.objects.filter(user=user, type=kind).values_list("data", flat=True).get()


def put(user: User, data: dict, kind: str = "totp") -> None:
    """As somebody does who may write in the table."""
    assert Authenticator.objects.filter(user=user, type=kind).update(data=data) == 1


def lets_in(user: User, code: str) -> bool:
    client = Client()
    log_in(client, user)
    second_step(client, code)
    return client.session.get("_auth_user_id") == str(user.pk)


def test_ones_own_opens(two):
    hanna, cecilia = two
    assert lets_in(hanna, code_of(hanna, 1)) and lets_in(cecilia, code_of(cecilia, 1))
    assert codes_left(hanna) == codes_left(cecilia) == 10


def test_the_app_of_one_person_opens_nothing_in_the_row_of_another(two, at_night):
    hanna, cecilia = two
    at_night.shift(60)
    hers, before = code_of(hanna), stored(cecilia)
    put(cecilia, stored(hanna))
    client = Client()
    log_in(client, cecilia)
    assert second_step(client, hers).status_code == 422  # refused like a wrong code, and no fault of ours
    assert client.session.get("_auth_user_id") is None
    row = LogEntry.objects.filter(event="user.login_failed").latest("id")
    assert (row.row, row.codes) == (str(cecilia.pk), {"step": "code"})
    put(cecilia, before)
    assert lets_in(cecilia, code_of(cecilia))


def test_nor_do_recovery_codes(two):
    hanna, cecilia = two
    codes = Authenticator.objects.get(user=hanna, type="recovery_codes").wrap().get_unused_codes()
    put(cecilia, stored(hanna, "recovery_codes"), "recovery_codes")
    assert not lets_in(cecilia, codes[0]) and lets_in(hanna, codes[0])
    assert lets_in(cecilia, code_of(cecilia, 1))  # her app still does
    assert codes_left(cecilia) == 0
    page = Client()
    log_in(page, cecilia)
    second_step(page, code_of(cecilia, 1))
    assert page.get(reverse("mfa_index")).status_code in (200, 302)


def test_nor_does_a_secret_under_another_name(two):
    """A seed of recovery codes is no key of an app, also in the row of its own owner."""
    hanna, _cecilia = two
    put(hanna, {"secret": stored(hanna, "recovery_codes")["seed"]})
    with pytest.raises(Unreadable):
        code_of(hanna)


@pytest.mark.parametrize("loose", ["", "none", "x:y", "next:AAAA", None], ids=str)
def test_what_is_nobodys_or_nonsense_opens_nothing(loose, two):
    """A secret that was sealed before it was anybody's: out of an old copy of the table, say."""
    hanna, _cecilia = two
    put(hanna, {"secret": seal("A" * 32) if loose is None else loose})
    with pytest.raises(Unreadable):
        code_of(hanna)
    assert not lets_in(hanna, "123456")


def test_no_row_is_written_with_the_secret_of_another(two, cast):
    hanna, _cecilia = two
    taken = Authenticator.objects.get(user=hanna, type="totp")
    with pytest.raises(Unreadable):
        Authenticator.objects.create(user=cast.caseworker, type="totp", data=dict(taken.data))
    taken.user = cast.caseworker
    with pytest.raises(Unreadable):
        taken.save()
    assert not Authenticator.objects.filter(user=cast.caseworker).exists()


def test_a_new_one_is_its_owners_as_soon_as_it_is_written(cast):
    made = Authenticator.objects.create(user=cast.caseworker, type="totp", data={"secret": encrypt("A" * 32)})
    assert decrypt(made.data["secret"]) == "A" * 32
    assert decrypt(Authenticator.objects.get(pk=made.pk).data["secret"]) == "A" * 32
    made.refresh_from_db()
    made.save()
    assert decrypt(Authenticator.objects.get(pk=made.pk).data["secret"]) == "A" * 32
    assert opens(made, master_keys(tuple(_keys())))


def _keys() -> list[str]:
    from django.conf import settings

    return settings.HELPLINE_KEYS


def test_it_stays_its_owners_under_a_new_master_key(two, settings):
    hanna, cecilia = two
    settings.HELPLINE_KEYS = [NEXT, *settings.HELPLINE_KEYS]
    assert (seal_again(), seal_again()) == (4, 0)
    settings.HELPLINE_KEYS = [NEXT]
    assert lets_in(hanna, code_of(hanna, 1))
    put(cecilia, stored(hanna))
    with pytest.raises(Unreadable):
        code_of(cecilia)


def test_one_that_was_moved_stays_behind_alone_and_keeps_no_start_from_production(two, settings, caplog):
    hanna, cecilia = two
    put(hanna, stored(cecilia))
    keys = list(settings.HELPLINE_KEYS)
    assert rotation.faults(master_keys(tuple(keys))) == []
    settings.HELPLINE_KEYS = [NEXT, *keys]
    failed: set = set()
    assert seal_again(failed=failed) == 3
    assert failed == {Authenticator.objects.get(user=hanna, type="totp").pk}
    assert lets_in(cecilia, code_of(cecilia, 1))


# -- what there was before ---


def as_before(*users: User) -> None:
    """The secrets as they stood before they were bound."""
    for row in Authenticator.objects.filter(user__in=users):
        data = {**row.data, **{name: seal(decrypt(row.data[name])) for name in {"secret", "seed"} & set(row.data)}}
        Authenticator.objects.filter(pk=row.pk).update(data=data)


def migrate(step) -> None:
    step(apps, SimpleNamespace(connection=connection))


def test_what_there_was_is_bound_by_the_migration_and_twice_does_it_once(two):
    hanna, cecilia = two
    as_before(hanna)
    used = stored(hanna)["spent"]
    with pytest.raises(Unreadable):
        code_of(hanna)
    migrate(migration.bind)
    once = stored(hanna)
    migrate(migration.bind)
    assert stored(hanna) == once and once["spent"] == used
    assert lets_in(hanna, code_of(hanna, 1)) and lets_in(cecilia, code_of(cecilia, 1))
    assert codes_left(hanna) == 10


def test_and_loosened_again_on_the_way_back(two):
    hanna, _cecilia = two
    secret = decrypt(Authenticator.objects.get(user=hanna, type="totp").data["secret"])
    migrate(migration.loosen)
    assert decrypt(stored(hanna)["secret"]) == secret  # bound to nobody, as the code before it reads
    migrate(migration.bind)
    assert lets_in(hanna, code_of(hanna, 1))


def test_without_its_master_key_nothing_is_half_done(two, settings):
    hanna, cecilia = two
    as_before(hanna, cecilia)
    settings.HELPLINE_KEYS = [NEXT, *settings.HELPLINE_KEYS]
    row = Authenticator.objects.get(user=cecilia, type="totp")
    Authenticator.objects.filter(pk=row.pk).update(data={"secret": "gone:" + row.data["secret"].partition(":")[2]})
    before = list(Authenticator.objects.order_by("pk").values_list("data", flat=True))
    from django.db import transaction

    with pytest.raises(ImproperlyConfigured, match="gone"), transaction.atomic():
        migrate(migration.bind)
    assert list(Authenticator.objects.order_by("pk").values_list("data", flat=True)) == before


def test_one_that_nothing_opens_keeps_no_other_waiting(two):
    hanna, cecilia = two
    as_before(hanna, cecilia)
    put(cecilia, {"secret": stored(cecilia)["secret"][:-8] + "AAAAAAA="})
    migrate(migration.bind)
    assert lets_in(hanna, code_of(hanna, 1)) and codes_left(cecilia) == 10


def test_a_value_that_is_no_sealed_text_is_named_and_stops_nothing(two, capsys):
    """Of the others all are bound, and the one is left as it is: it let nobody in."""
    hanna, cecilia = two
    for broken in ("demo:%%%", "demo:AAAA", "demo:A"):
        key_id = stored(cecilia)["secret"].partition(":")[0]
        put(hanna, {"secret": broken.replace("demo", key_id)})
        rows = Authenticator.objects.filter(user__in=two, type="totp").order_by("pk")
        migration.rebind(rows, migration.bound_to, migration.bound_to)
        assert f"of user {hanna.pk} cannot be read (secret)" in capsys.readouterr().out, broken
        assert stored(hanna)["secret"].endswith(broken.partition(":")[2])
        assert opens_still(cecilia)


def opens_still(user: User) -> bool:
    return bool(code_of(user))

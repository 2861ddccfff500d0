"""Encryption at rest: what stands in the column, what opens it, and what never does."""

import base64
import secrets

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, transaction

from helpline.people.sealed import DataKey, Forgotten, SealedModel, master_keys
from intake.models import Call, Note

WORDS = "Hans bror såg en kniv på köksbordet 🔪"


def column(table: str, field: str, pk) -> bytes:
    """What stands in the database, past every model."""
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT "{field}" FROM "{table}" WHERE id = %s', [pk])
        return bytes(cursor.fetchone()[0])


def put(table: str, field: str, pk, value: bytes) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f'UPDATE "{table}" SET "{field}" = %s WHERE id = %s', [value, pk])


@pytest.fixture
def call(make_call) -> Call:
    return make_call(track="B", caller_name="Maja Lind", phone="0701234567", notes={"seen": WORDS, "told": "Annat"})


def note(call: Call, kind: str = "seen") -> Note:
    return Note.objects.select_related("call__key").get(call=call, kind=kind)


def test_what_was_written_is_read(call):
    assert note(call).text == WORDS
    fresh = Call.objects.get(pk=call.pk)
    assert (fresh.caller_name, fresh.phone) == ("Maja Lind", "0701234567")


def test_the_column_holds_no_word_of_it(call):
    stored = column("intake_note", "text", note(call).pk)
    assert len(stored) == 12 + len(WORDS.encode()) + 16  # nonce, text, tag
    for word in WORDS.split():
        assert word.encode() not in stored
    assert b"Maja" not in column("intake_call", "caller_name", call.pk)


def test_the_same_text_never_looks_the_same_twice(call):
    row = note(call)
    before = column("intake_note", "text", row.pk)
    row.save()
    assert column("intake_note", "text", row.pk) != before
    assert note(call).text == WORDS


def test_a_text_moved_to_another_row_does_not_open(call):
    seen, told = note(call), note(call, "told")
    put("intake_note", "text", told.pk, column("intake_note", "text", seen.pk))
    with pytest.raises(InvalidTag):
        assert note(call, "told").text


def test_a_text_moved_to_another_field_of_its_row_does_not_open(call):
    put("intake_call", "phone", call.pk, column("intake_call", "caller_name", call.pk))
    with pytest.raises(InvalidTag):
        assert Call.objects.get(pk=call.pk).phone


def test_a_changed_bit_does_not_open(call):
    row = note(call)
    stored = bytearray(column("intake_note", "text", row.pk))
    stored[-1] ^= 1
    put("intake_note", "text", row.pk, bytes(stored))
    with pytest.raises(InvalidTag):
        assert note(call).text


def test_the_key_of_another_call_does_not_open(call, make_call):
    other = make_call()
    Call.objects.filter(pk=other.pk).update(key=DataKey.new())
    Call.objects.filter(pk=call.pk).update(key=other.key)
    with pytest.raises(InvalidTag):
        assert note(call).text


def test_a_wrapped_key_moved_to_another_key_does_not_open(call):
    spare = DataKey.new()
    DataKey.objects.filter(pk=call.key_id).update(wrapped=spare.wrapped)
    with pytest.raises(InvalidTag):
        assert note(call).text


def test_table_field_and_row_are_bound_to_the_text(call):
    row = note(call)
    stored, key = column("intake_note", "text", row.pk), AESGCM(row.call.key.secret)
    bound = f"intake_note.text:{row.pk}".encode()
    assert key.decrypt(stored[:12], stored[12:], bound).decode() == WORDS
    for wrong in (b"", f"intake_note.text:{call.pk}".encode(), f"intake_answer.text:{row.pk}".encode()):
        with pytest.raises(InvalidTag):
            key.decrypt(stored[:12], stored[12:], wrong)


def test_a_destroyed_key_forgets_every_word_and_nothing_else(call, make_call):
    other = make_call(notes={"seen": "still here"})
    assert call.key.destroy() and not call.key.destroy()  # twice does it once
    with pytest.raises(Forgotten):
        assert Call.objects.get(pk=call.pk).key.secret
    assert note(call).text == "" and Call.objects.get(pk=call.pk).caller_name == ""  # nothing opens, and no page fails
    assert Call.objects.get(pk=call.pk).key.destroyed_at is not None
    assert note(other).text == "still here"
    assert Call.objects.get(pk=call.pk).safe_contact == ""  # what was empty stays empty
    assert Call.objects.get(pk=call.pk).caller_type == "relative"  # codes remain: they are the statistics


def test_nothing_is_written_under_a_destroyed_key(call):
    call.key.destroy()
    row = note(call)
    row.text = "new words"
    with pytest.raises(Forgotten):
        row.save()


def test_a_deferred_field_is_fetched_when_it_is_asked_for(call, django_assert_num_queries):
    with django_assert_num_queries(1):
        row = Note.objects.only("id", "kind").select_related(None).get(call=call, kind="seen")
    assert row.text == WORDS
    assert Note.objects.defer("text").get(pk=row.pk).text == WORDS


def test_values_stay_sealed(call):
    (stored,) = Note.objects.filter(call=call, kind="seen").values_list("text", flat=True)
    assert WORDS.encode() not in bytes(stored) and len(bytes(stored)) > len(WORDS)


def test_the_row_is_read_anew(call):
    row = note(call)
    again = note(call)
    again.text = "rättat"
    again.save()
    row.refresh_from_db()
    assert row.text == "rättat"


def test_update_and_filter_with_words_are_refused(call):
    rows, row = Note.objects.filter(call=call), note(call)
    row.text = "in the clear"
    tries = [
        lambda: rows.update(text="in the clear"),
        lambda: list(rows.filter(text=WORDS)),
        lambda: Note.objects.bulk_update([row], ["text"]),
    ]
    for attempt in tries:
        with pytest.raises(TypeError, match="saving its row"), transaction.atomic():
            attempt()
    assert note(call).text == WORDS


def test_rows_made_in_bulk_are_sealed(call, cast):
    rows = [
        Note(case=None, call=call, kind=f"extra{number}", text=f"hemlig {number}", by=cast.caseworker)
        for number in range(3)
    ]
    Note.objects.bulk_create(rows)
    for number, row in enumerate(rows):
        assert b"hemlig" not in column("intake_note", "text", row.pk)
        assert note(call, row.kind).text == f"hemlig {number}"


def test_empty_text_is_stored_as_nothing(call):
    row = note(call)
    row.text = ""
    row.save()
    assert column("intake_note", "text", row.pk) == b""
    assert note(call).text == ""


def test_long_and_odd_texts_survive(call):
    for text in ("å" * 100_000, "a\r\nb\tc", "\u202egnorv", "é e\u0301"):
        row = note(call)
        row.text = text
        row.save()
        assert note(call).text == text


def test_each_master_key_that_is_configured_is_read(call, make_call, settings):
    old = list(settings.HELPLINE_KEYS)
    settings.HELPLINE_KEYS = ["next:" + base64.b64encode(secrets.token_bytes(32)).decode(), *old]
    newer = make_call(notes={"seen": "under the next key"})
    assert DataKey.objects.get(pk=newer.key_id).master == "next"
    assert DataKey.objects.get(pk=call.key_id).master == old[0].partition(":")[0]
    assert (note(call).text, note(newer).text) == (WORDS, "under the next key")
    settings.HELPLINE_KEYS = old
    assert note(call).text == WORDS
    with pytest.raises(ImproperlyConfigured, match="the master key next is not in HELPLINE_KEYS"):
        assert note(newer).text


@pytest.mark.parametrize("configured", [(), ("one:short",), (":" + "A" * 43 + "=",), ("no colon at all",)])
def test_malformed_master_keys_stop_the_start(configured):
    with pytest.raises((ImproperlyConfigured, ValueError)):
        master_keys(configured)


def test_a_sealed_field_is_not_serialised(call):
    with pytest.raises(TypeError):
        Note._meta.get_field("text").value_to_string(note(call))


def test_every_sealed_model_says_whose_key_it_is():
    from django.apps import apps

    sealed = [model for model in apps.get_models() if issubclass(model, SealedModel)]
    assert len(sealed) >= 10
    assert [model for model in sealed if model.seal_key is SealedModel.seal_key] == []

"""The secrets of second factors are bound to whose they are. All of them or none: a master key that is missing ends it."""

import base64
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import migrations

from helpline.people.sealed import NONCE, master_keys

LOOSE = b"second factor"


def bound_to(row, name):
    return f"second factor:{row.user_id}:{name}".encode()


def rebind(rows, old, new):
    """Seal each secret anew, under the master key that it is under. One that is bound already is left, as is one that nothing
    opens: it let nobody in before, and lets nobody in after; of one that is no sealed text at all, it says so."""
    for row in rows:
        for name in {"secret", "seed"} & set(row.data):
            key_id, _colon, encoded = row.data[name].rpartition(":")
            keys = master_keys(tuple(settings.HELPLINE_KEYS))
            if key_id not in keys:
                raise ImproperlyConfigured(f"the master key {key_id} of a second factor is not in HELPLINE_KEYS")
            key, nonce = AESGCM(keys[key_id]), os.urandom(NONCE)
            try:
                sealed = base64.b64decode(encoded, validate=True)
                text = key.decrypt(sealed[:NONCE], sealed[NONCE:], old(row, name))
            except InvalidTag:
                continue
            except ValueError:  # no base64, or too short to be sealed
                print(
                    f"The second factor {row.pk} of user {row.user_id} cannot be read ({name}), and is left as it is."
                )
                continue
            again = nonce + key.encrypt(nonce, text, new(row, name))
            row.data[name] = f"{key_id}:{base64.b64encode(again).decode()}"
            rows.filter(pk=row.pk).update(data=row.data)


def _rows(apps):
    return apps.get_model("mfa", "Authenticator").objects.select_for_update().exclude(type="webauthn").order_by("pk")


def bind(apps, schema_editor):
    rebind(_rows(apps).using(schema_editor.connection.alias), lambda row, name: LOOSE, bound_to)


def loosen(apps, schema_editor):
    rebind(_rows(apps).using(schema_editor.connection.alias), bound_to, lambda row, name: LOOSE)


class Migration(migrations.Migration):
    dependencies = [
        ("people", "0008_retention"),
        ("mfa", "0003_authenticator_type_uniq"),
    ]

    operations = [migrations.RunPython(bind, loosen)]

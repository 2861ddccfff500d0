"""The app on each person's telephone, which shows the code of the second step."""

import base64
import hashlib
import time

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

STEP = 30  # seconds that a code is shown (RFC 6238)


def secret_of(name: str, password: str) -> str:
    """The secret of this person's app, in base32: who makes the people and who plays them come to the same."""
    return base64.b32encode(hashlib.sha256(f"{name}:{password}".encode()).digest()[:20]).decode()


def code_of(secret: str) -> str:
    """What the app shows now."""
    sha1 = SHA1()  # noqa: S303  what apps on telephones speak (RFC 6238); the secret is no password
    app = TOTP(base64.b32decode(secret), 6, sha1, STEP)
    return app.generate(int(time.time())).decode()


def seconds_left() -> float:
    """Until the app shows another code, and a little."""
    return STEP - time.time() % STEP + 0.5

"""The identity token of a municipality's log-in: signed with a key that the issuer publishes, fresh, and the answer to what was
asked, or refused."""

import hmac
import time
from collections.abc import Mapping
from typing import Any

import jwt
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.internal.jwtkit import verify_jti
from allauth.socialaccount.providers.oauth2.client import OAuth2Error

# What signs with each type of key (RFC 7518, 3.1; RFC 8037), where the key itself does not say. No shared secret, and not
# "none": the public half of a key must never be taken for a secret.
ALGORITHMS: dict[str, list[str]] = {
    "RSA": ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
    "EC": ["ES256", "ES384", "ES512"],
    "OKP": ["EdDSA"],
}
NEEDED = ["iss", "aud", "exp", "sub"]
SKEW = 30  # seconds by which two machines' clocks may differ


def verified(id_token: str, *, keys_url: str, issuer: str, audience: str) -> dict[str, Any]:
    """What the issuer says of who has logged in. Raises OAuth2Error where it is not the issuer's, not for us, or stale."""
    try:
        key = _key_for(jwt.get_unverified_header(id_token).get("kid"), _published(keys_url))
        found: dict[str, Any] = jwt.decode(
            id_token,
            key=jwt.PyJWK(dict(key)).key,
            algorithms=_algorithms_of(key),
            issuer=issuer,
            audience=audience,
            leeway=SKEW,
            options={"require": NEEDED},
        )
    except (jwt.PyJWTError, TypeError, AttributeError) as error:  # the last two: a header that the key does not fit
        raise OAuth2Error("an identity token that is not valid") from error
    verify_jti(found)
    return found


def answers(found: Mapping[str, Any], *, nonce: str, since: int | None = None) -> None:
    """That it was made for this one request (OpenID Connect Core 1.0, 3.1.3.7), and, where `since` is given in seconds, that the
    person logged in there after that and not before: `auth_time`. Raises OAuth2Error."""
    said = found.get("nonce")
    if not nonce or not isinstance(said, str) or not hmac.compare_digest(said.encode(), nonce.encode()):
        raise OAuth2Error("an answer to another request")
    if since is None:
        return
    at: Any = found.get("auth_time")
    if type(at) not in (int, float) or not since - SKEW <= at <= time.time() + SKEW:
        raise OAuth2Error("nobody was asked anew who it is")


def _published(keys_url: str) -> list[Mapping[str, Any]]:
    with get_adapter().get_requests_session() as session:
        answer = session.get(keys_url)
        answer.raise_for_status()
        keys = answer.json()["keys"]
    return [key for key in keys if key.get("kty") in ALGORITHMS and key.get("use", "sig") == "sig"]


def _key_for(kid: str | None, keys: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The key of that name. A token need not name one where the issuer has one alone (OpenID Connect Core 1.0, 10.1)."""
    found = keys if kid is None else [key for key in keys if key.get("kid") == kid]
    if len(found) != 1:
        raise OAuth2Error("no key, or more than one, for this identity token")
    return found[0]


def _algorithms_of(key: Mapping[str, Any]) -> list[str]:
    """With which the key signs: the one that it says, and never one of another type of key."""
    possible = ALGORITHMS[key["kty"]]
    return [one for one in possible if one == key.get("alg", one)]

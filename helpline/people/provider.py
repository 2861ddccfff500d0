"""A municipality's own log-in, by OpenID Connect. allauth finds this module by its name and that of its table."""

import hashlib
import json
import secrets
import time
from typing import Any

from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from allauth.utils import build_absolute_uri
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from helpline.people.id_token import answers, verified

SIGN_ON = "sign_on"
# Of what is kept in the session while somebody is there: what the answer must say.
NONCE, SINCE = "nonce", "since"


def account_key(issuer: str, subject: str) -> str:
    """What an account of the municipality's log-in is known by here: issuer and subject together, as a hash. The subject
    alone is somebody else's at another issuer; and what an issuer chose as subject is not written down."""
    return hashlib.sha256(json.dumps([issuer, subject]).encode()).hexdigest()


class SignOnAdapter(OpenIDConnectOAuth2Adapter):
    """The exchange with the issuer. Its answer counts only where it is signed, and is the issuer's that was configured."""

    asked: dict[str, Any] = {}  # noqa: RUF012  nothing was asked, so no answer fits

    @property
    def openid_config(self) -> dict[str, Any]:
        """Raises OAuth2Error where the issuer says that it is another (OpenID Connect Discovery 1.0, 4.3)."""
        found: dict[str, Any] = super().openid_config
        if found.get("issuer") != settings.OIDC_ISSUER:
            raise OAuth2Error("the issuer is another than the configured one")
        return found

    def get_callback_url(self, request: HttpRequest, app: Any) -> str:
        return str(build_absolute_uri(request, reverse("sign_on_callback"), self.redirect_uri_protocol))

    def _decode_id_token(self, app: Any, id_token: str) -> dict[str, Any]:
        """Always with its signature. Raises OAuth2Error."""
        try:
            config = self.openid_config
            found = verified(id_token, keys_url=config["jwks_uri"], issuer=config["issuer"], audience=app.client_id)
            answers(found, nonce=self.asked.get(NONCE, ""), since=self.asked.get(SINCE))
        except KeyError as error:
            raise OAuth2Error("an answer without what it needs") from error
        return found

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **kwargs: Any) -> Any:
        """Raises OAuth2Error where there is no identity token, or no subject in it."""
        id_token = kwargs["response"].get("id_token")
        data = self._decode_id_token(app, id_token) if id_token else {}
        if not data.get("sub"):
            raise OAuth2Error("nobody is named")
        return self.get_provider().sociallogin_from_response(request, {"id_token": data})


class Callback(OAuth2CallbackView):
    """Back from the issuer: its answer is held against what was asked in this browser, once."""

    adapter: SignOnAdapter

    def _get_state(self, request: HttpRequest, provider: Any) -> Any:
        state, answer = super()._get_state(request, provider)
        self.adapter.asked = state or {}
        return state, answer


class SignOnProvider(OpenIDConnectProvider):
    """Takes the subject and nothing else: no name, no address, no personal number is asked for or kept."""

    id = SIGN_ON
    oauth2_adapter_class = SignOnAdapter
    pkce_enabled_default = True

    def get_login_url(self, request: HttpRequest, **kwargs: Any) -> str:
        return reverse("sign_on_login")

    def get_callback_url(self) -> str:
        return reverse("sign_on_callback")

    def get_default_scope(self) -> list[str]:
        return ["openid"]

    def get_scope_from_request(self, request: HttpRequest) -> list[str]:
        return self.get_default_scope()

    def redirect(
        self,
        request: HttpRequest,
        process: Any,
        next_url: Any = None,
        data: Any = None,
        anew: bool = False,
        **rest: Any,
    ) -> Any:
        """To the issuer. Its answer must carry a word that is used once; `anew`: it must have asked who it is just now."""
        asked: dict[str, Any] = {NONCE: secrets.token_urlsafe(32)}
        said = {"nonce": asked[NONCE]}
        if anew:
            asked[SINCE] = int(time.time())
            said |= {"prompt": "login", "max_age": "0"}
        return super().redirect(request, process, next_url=next_url, data=data, auth_params=said, **asked)

    def get_auth_params_from_request(self, request: HttpRequest, action: Any) -> dict[str, str]:
        return {}

    def extract_uid(self, data: dict[str, Any]) -> str:
        return account_key(data["id_token"]["iss"], str(data["id_token"]["sub"]))

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        return {}

    def extract_common_fields(self, data: dict[str, Any]) -> dict[str, Any]:
        return {}

    def extract_email_addresses(self, data: dict[str, Any]) -> list[Any]:
        return []


provider_classes = [SignOnProvider]

"""How people come in: allauth with sign-up closed; the keeper makes the accounts."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from helpline.people.audit import log
from helpline.people.sessions import resume


class ClosedAdapter(DefaultAccountAdapter):
    """Nobody signs up by themselves; each log-in is a row in the log."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Count failures for account and address together."""
        return f"{super()._get_login_attempts_cache_key(request, **credentials)}:{self.get_client_ip(request)}"

    def post_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> Any:
        """Who was in the middle of something is brought back to it, wherever the way led."""
        log("user.logged_in", by=user)
        if place := resume(user):
            kwargs["redirect_url"] = place
        return super().post_login(request, user, **kwargs)

"""Referrals to play with, as the second floor's own tests have them."""

from tests.referrals.conftest import make_draft, make_referral

__all__ = ["make_draft", "make_referral"]

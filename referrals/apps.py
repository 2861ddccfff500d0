"""The second floor as a Django app."""

from django.apps import AppConfig


class ReferralsConfig(AppConfig):
    """Referrals. Adds its words to the tables of the floors below."""

    name = "referrals"

    def ready(self) -> None:
        """What a referral leaves on a case, in its timeline and on a first page, in words."""
        from helpline.people import notices
        from intake import labels as lower
        from referrals import labels

        lower.STEP_KINDS.update(labels.STEP_KINDS)
        lower.EVENTS.update(labels.EVENTS)
        notices.KINDS.update(labels.NOTICES)

"""The first floor as a Django app."""

from django.apps import AppConfig


class IntakeConfig(AppConfig):
    """Calls and cases. Works, and is tested, without the floor above."""

    name = "intake"

    def ready(self) -> None:
        """Say what this floor's notices are called, and what somebody has in hand here."""
        from helpline.people.actions import HOLDS
        from helpline.people.notices import KINDS
        from helpline.people.sealed import KEPT
        from helpline.people.sessions import BUSY, RESUMES
        from intake.duties import in_hand, is_in_a_call, place_of_call
        from intake.labels import NOTICES
        from intake.protection import as_kept

        KINDS.update(NOTICES)
        KEPT.append(as_kept)
        HOLDS.append(in_hand)
        BUSY.append(is_in_a_call)
        RESUMES.append(place_of_call)

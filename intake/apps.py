"""The first floor as a Django app."""

from django.apps import AppConfig


class IntakeConfig(AppConfig):
    """Calls and cases. Works, and is tested, without the floor above."""

    name = "intake"

    def ready(self) -> None:
        """Say what this floor's notices are called, and what somebody has in hand here."""
        from helpline.people.actions import HOLDS
        from helpline.people.notices import KEPT_FROM, KINDS
        from helpline.people.refusals import CODES
        from helpline.people.sealed import FORGOTTEN, KEPT, WRITTEN
        from helpline.people.sessions import BUSY, RESUMES
        from intake.codes import normalise
        from intake.duties import in_hand, is_in_a_call, place_of_call
        from intake.labels import NOTICES
        from intake.marks import follow_words, forget_marks
        from intake.protection import as_kept
        from intake.whose import is_locked_out

        KINDS.update(NOTICES)
        CODES["code"] = lambda typed: normalise(typed) or "unknown"
        KEPT.append(as_kept)
        KEPT_FROM.append(is_locked_out)
        WRITTEN.append(follow_words)
        FORGOTTEN.append(forget_marks)
        HOLDS.append(in_hand)
        BUSY.append(is_in_a_call)
        RESUMES.append(place_of_call)

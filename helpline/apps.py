"""The roof as a Django app: commands, the caseload, the demo."""

from django.apps import AppConfig


class HelplineConfig(AppConfig):
    """The project package itself."""

    name = "helpline"

    def ready(self) -> None:
        """Say what the roof's notices are called, and where they lead."""
        from django.urls import reverse

        from helpline import context, log_notices
        from helpline.disposals import NOTICES
        from helpline.people import counts, notices
        from helpline.retention_rows import facts
        from helpline.spread import NOTICES as SPREAD_NOTICES
        from intake import there
        from intake.views import day

        there.ASKED.append(facts)
        counts.FRAME_ASKS.append(context.asked_of)
        counts.FRAME_KNOWS.append(context.frame_known)
        notices.KINDS.update(NOTICES)
        notices.KINDS.update(log_notices.NOTICES)
        for kind in log_notices.NOTICES:
            notices.LINKS[kind] = log_notices.way
            day.PLACES[kind] = "log:review-list"
        notices.KINDS.update(SPREAD_NOTICES)
        notices.LINKS["search.many"] = log_notices.way_of_searches
        day.PLACES["search.many"] = "log:review-list"
        for kind in NOTICES:
            notices.LINKS[kind] = lambda notice: reverse("disposals:disposal-list")
            day.PLACES[kind] = "disposals:disposal-list"

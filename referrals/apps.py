"""The second floor as a Django app."""

from django.apps import AppConfig


class ReferralsConfig(AppConfig):
    """Referrals. Adds its words to the tables of the floors below."""

    name = "referrals"

    def ready(self) -> None:
        """What a referral leaves on a case, in its timeline and on a first page, in words."""
        from helpline.people import notices
        from helpline.people import wall as second_wall
        from intake import labels as lower
        from intake import there
        from intake.actions.calls import CAME_TO_CASE
        from intake.actions.cases import CLOSED
        from intake.actions.steps import DONE
        from intake.news import ANSWERS
        from intake.protection import RAISED
        from intake.spoken import AGREED, SIGNPOSTED
        from referrals import labels, wall
        from referrals.actions.disclosures import told_by_phone
        from referrals.actions.drafts import clean_sent_and_drafts
        from referrals.actions.signposts import follow_signposts
        from referrals.actions.silence import finish_with_case
        from referrals.agreed import agency_agreed_to, told_to_go_to
        from referrals.links import REFERRAL_LINKS
        from referrals.news import answers_in
        from referrals.of_case import asked_of_row

        lower.STEP_KINDS.update(labels.STEP_KINDS)
        lower.CALLING.update(labels.CALLING)
        lower.AT_TIME.update(labels.AT_TIME)
        lower.INSIDE.update(labels.INSIDE)
        lower.NEEDS_WORDS.update(labels.NEEDS_WORDS)
        lower.BOUNCED_WHY.update(labels.BOUNCED_WHY)
        lower.CONTACT.update(labels.CONTACT)
        lower.EVENTS.update(labels.EVENTS)
        lower.KEEPERS.update(labels.KEEPERS)
        lower.SAID.update(labels.SAID)
        lower.WHYS.update(labels.REASONS)
        there.ASKED.append(asked_of_row)
        AGREED.append(agency_agreed_to)
        SIGNPOSTED.append(told_to_go_to)
        ANSWERS.append(answers_in)
        CAME_TO_CASE.append(follow_signposts)
        RAISED.append(clean_sent_and_drafts)
        CLOSED.append(finish_with_case)
        DONE.update(dict.fromkeys(["give_contact", "bring_handover", "bring_answer"], told_by_phone))
        second_wall.FUNCTIONS.update(wall.FUNCTIONS)
        second_wall.WALL.extend(wall.WALL)
        notices.KINDS.update(labels.NOTICES)
        notices.LINKS.update(REFERRAL_LINKS)

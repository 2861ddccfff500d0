"""What stands behind the second wall: for each table that the portal reads, the columns and the rows, as policies of PostgreSQL.

The rows are those of the querysets (models/referrals.py), said a second time where no view can leave them out. `helpline.agency`
and the other settings say where a request stands (portal_wall.py); a setting that is missing, or is no such value, is none, and
then there are no rows. Functions that are SECURITY DEFINER look at a table past its policy, so that policies do not ask each
other in a ring; each answers yes or no, or an id.
"""
# ruff: noqa: S608  policies are SQL made of tables of ours: nothing in them comes from outside

from helpline.people.wall import Walled
from referrals.grounds import consent_grounds
from referrals.models import FirstLook
from referrals.models.referrals import LATELY
from referrals.partners import partner_types
from referrals.states import SEEN_BY_AGENCY, UNANSWERED

POLICE = ("police", "security_service")
LOOKED_AT = {*UNANSWERED, "question"}


def _texts(codes: object) -> str:
    return ", ".join(f"'{code}'" for code in sorted(codes))  # type: ignore[call-overload]  # any collection of codes


def _setting(name: str, kind: str) -> str:
    """A setting as a value, or none where it is not one."""
    value = f"current_setting('helpline.{name}', true)"
    return (
        f"RETURNS {kind} LANGUAGE sql STABLE SET search_path = public, pg_temp AS "
        f"$$ SELECT CASE WHEN pg_input_is_valid({value}, '{kind}') THEN {value}::{kind} END $$"
    )


def _past_policies(returns: str, query: str) -> str:
    return f"RETURNS {returns} LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$ {query} $$"


_POLICE_TYPES = _texts(code for code, kind in partner_types().items() if kind.receives in POLICE)
_IS_LOOKED_AT = f"""
    SELECT r.id FROM referrals_firstlook l JOIN referrals_referral r ON r.id = l.referral_id
      JOIN intake_case c ON c.id = r.case_id JOIN referrals_partneragency a ON a.id = r.agency_id
     WHERE l.id = wall_look() AND r.state IN ({_texts(LOOKED_AT)}) AND c.closed_at IS NULL AND a.is_active
       AND (r.access_until IS NULL OR r.access_until >= wall_today())
"""
_IS_OPENED = f"""{_IS_LOOKED_AT}
       AND l.used_at > wall_now() - interval '{int(FirstLook.LASTS.total_seconds())} seconds'
       AND NOT EXISTS (SELECT 1 FROM referrals_firstlook n
                        WHERE n.referral_id = l.referral_id AND (n.made_at, n.id) > (l.made_at, l.id))
"""

# Each after those that it calls.
FUNCTIONS: dict[str, str] = {
    "wall_agency()": _setting("agency", "bigint"),  # of who is logged in
    "wall_look()": _setting("look", "uuid"),  # the first look whose link or code was given
    "wall_pre_answer()": _setting("pre_answer", "uuid"),  # the question without a name whose link was opened
    "wall_ended()": _setting("ended", "uuid"),  # one that had been with them: to say who was first
    "wall_counts()": _setting(
        "counts", "boolean"
    ),  # all that were with them, without a word: to count how soon they answer
    "wall_today()": _setting("today", "date"),
    "wall_now()": _setting("now", "timestamptz"),
    "wall_case_is_open(uuid)": _past_policies("boolean", "SELECT closed_at IS NULL FROM intake_case WHERE id = $1"),
    "wall_is_answered(uuid)": _past_policies(
        "boolean",
        "SELECT EXISTS (SELECT 1 FROM referrals_qualitycomment WHERE referral_id = $1 AND answered_at IS NOT NULL)",
    ),
    "wall_consent_is_over(bigint)": _past_policies(
        "boolean",
        "SELECT EXISTS (SELECT 1 FROM referrals_consent"
        " WHERE id = $1 AND (withdrawn_at IS NOT NULL OR valid_until < wall_today()))",
    ),
    "wall_is_police()": _past_policies(
        "boolean",
        "SELECT EXISTS (SELECT 1 FROM referrals_partneragency WHERE id = wall_agency() AND (receiver_kind IN"
        f" ({_texts(POLICE)}) OR (receiver_kind = '' AND type IN ({_POLICE_TYPES}))))",
    ),
    "wall_looked_at()": _past_policies("uuid", _IS_LOOKED_AT),
    "wall_opened()": _past_policies("uuid", _IS_OPENED),
}

# Of a referral r of one's own agency: as for_agency_of, to_confirm_by, answered_for and lately_ended_for say.
_HANDED = f"""(r.state IN ({_texts(SEEN_BY_AGENCY)}) AND wall_case_is_open(r.case_id)
    AND (r.access_until IS NULL OR r.access_until >= (SELECT wall_today())))"""
_TO_CONFIRM = "(r.state = 'withdrawn' AND r.confirmed_at IS NULL)"
_ANSWERED = f"""(r.state NOT IN ({_texts({*SEEN_BY_AGENCY, "withdrawn"})}) AND r.access_until >= (SELECT wall_today())
    AND wall_is_answered(r.id) AND NOT (r.ground IN ({_texts(consent_grounds())}) AND wall_consent_is_over(r.consent_id)))"""
_ENDED_LATELY = f"""(r.ended_at > (SELECT wall_now()) - interval '{LATELY.days} days' AND NOT (SELECT wall_is_police())
    AND (r.state IN ('failed', 'expired') OR (r.state = 'withdrawn' AND r.confirmed_at IS NOT NULL)))"""
_ASKED_FOR = "(r.id = (SELECT wall_ended()) OR (SELECT wall_counts()))"
_THEIRS = "r.agency_id = (SELECT wall_agency()) AND r.state <> 'draft'"


def _of(table: str, condition: str) -> str:
    return condition.replace("r.", f"{table}.")


_REFERRALS = _of(
    "referrals_referral",
    f"({_THEIRS} AND ({_HANDED} OR {_TO_CONFIRM} OR {_ANSWERED} OR {_ENDED_LATELY} OR {_ASKED_FOR}))"
    " OR r.id = (SELECT wall_looked_at())",
)
# The words themselves open only while the card is with them: what is to confirm, or has ended lately, holds no word.
_KEYS = f"""EXISTS (
    SELECT 1 FROM intake_case c JOIN referrals_referral r ON r.case_id = c.id WHERE c.key_id = people_datakey.id
       AND (({_THEIRS} AND ({_HANDED} OR {_ANSWERED} OR r.id = (SELECT wall_ended()))) OR r.id = (SELECT wall_opened())))"""
_OF_A_REFERRAL = "EXISTS (SELECT 1 FROM referrals_referral r WHERE r.id = {}.referral_id)"
_OF_AN_AGENCY = "EXISTS (SELECT 1 FROM referrals_partneragency a WHERE a.id = {}.agency_id)"
# Who works with them; whose case it is; who wrote a line that they read.
_PEOPLE = " OR ".join(
    f"EXISTS (SELECT 1 FROM {table} x WHERE x.{column} = people_user.id)"
    for table, column in {
        "referrals_agencymember": "user_id",
        "intake_case": "owner_id",
        "referrals_statechange": "by_id",
        "referrals_message": "by_id",
    }.items()
)
# A question without a name shows of its case whose it is, and nothing that tells which it is.
_CASES = """EXISTS (SELECT 1 FROM referrals_referral r WHERE r.case_id = intake_case.id)
    OR EXISTS (SELECT 1 FROM referrals_prequestion q WHERE q.case_id = intake_case.id)"""
_AGENCIES = """id = (SELECT wall_agency())
    OR EXISTS (SELECT 1 FROM referrals_referral r WHERE r.agency_id = referrals_partneragency.id)
    OR EXISTS (SELECT 1 FROM referrals_preanswer p WHERE p.agency_id = referrals_partneragency.id)"""

# Of a referral what is shown; never what we kept back and why, nor why we chose the ground.
CARD_FIELDS = (
    *("id", "case", "agency", "need", "state", "urgency", "age_band", "ground", "consent", "ask", "about", "happened"),
    *("wants", "fears", "tried", "dont_ask", "safe_contact", "name", "phone", "approved_at", "sent_at"),
    *("answer_due_at", "contact_due_at", "handled_by", "leads", "contact_kind", "contact_at", "agency_spoke_at"),
    *("owner_spoke_at", "hold_until", "access_until", "confirmed_at", "ended_at"),
)
CASE_FIELDS = ("id", "key", "unit", "owner", "protection", "closed_at")
USER_FIELDS = (
    *("id", "username", "first_name", "last_name", "email", "phone", "is_active", "last_login", "role", "unit"),
)

WALL: list[Walled] = [
    Walled("referrals.Referral", _REFERRALS, CARD_FIELDS),
    Walled("referrals.StateChange", _OF_A_REFERRAL.format("referrals_statechange")),
    Walled("referrals.Message", _OF_A_REFERRAL.format("referrals_message")),
    Walled("referrals.QualityComment", _OF_A_REFERRAL.format("referrals_qualitycomment")),
    Walled("referrals.AskedAgain", _OF_A_REFERRAL.format("referrals_askedagain")),
    Walled(
        "referrals.Consent",
        "EXISTS (SELECT 1 FROM referrals_referral r WHERE r.consent_id = referrals_consent.id)",
        ("id", "given_by", "valid_until", "withdrawn_at"),
    ),
    Walled(
        "referrals.FirstLook",
        "referral_id = (SELECT wall_looked_at())",
        ("id", "referral", "nonce", "made_at", "expires_at", "used_at", "wrong"),
    ),
    Walled("referrals.PreAnswer", "agency_id = (SELECT wall_agency()) OR id = (SELECT wall_pre_answer())"),
    Walled(
        "referrals.PreQuestion",
        "EXISTS (SELECT 1 FROM referrals_preanswer p WHERE p.question_id = referrals_prequestion.id)",
    ),
    Walled("referrals.PartnerAgency", _AGENCIES),
    Walled("referrals.AgencyMember", "agency_id = (SELECT wall_agency())"),
    Walled("referrals.OpeningHours", _OF_AN_AGENCY.format("referrals_openinghours")),
    Walled("referrals.AgencyAbsence", _OF_AN_AGENCY.format("referrals_agencyabsence")),
    Walled(
        "referrals.PartnerAgency_municipalities",
        "EXISTS (SELECT 1 FROM referrals_partneragency a"
        " WHERE a.id = referrals_partneragency_municipalities.partneragency_id)",
    ),
    Walled("intake.Case", _CASES, CASE_FIELDS),
    Walled("people.DataKey", _KEYS),
    Walled("people.User", _PEOPLE, USER_FIELDS),
    Walled("people.Unit", ""),
    Walled("people.Municipality", ""),
]

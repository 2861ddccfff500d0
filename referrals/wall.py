"""What stands behind the second wall: for each table that the portal reads, the columns and the rows, as policies of PostgreSQL.

The rows are those of the querysets (models/referrals.py), said a second time where no view can leave them out. `helpline.agency`
and the other settings say where a request stands (portal_wall.py); a setting that is missing, or is no such value, is none, and
then there are no rows. Functions that are SECURITY DEFINER look at a table past its policy: each answers yes or no, or which ids
are there from where one stands. So no policy asks another, which would go in a ring, and be planned anew in each statement.
"""
# ruff: noqa: S608  policies are SQL made of tables of ours: nothing in them comes from outside

from helpline.people.wall import Walled
from referrals.grounds import consent_grounds
from referrals.models import FirstLook
from referrals.models.agencies import POLICE
from referrals.models.referrals import ENDED_BY_OTHERS, LATELY, LEFT_TO_READ
from referrals.partners import partner_types
from referrals.states import SEEN_BY_AGENCY, UNANSWERED

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


def _ids(kind: str, query: str) -> str:
    """Which rows are there: asked once a statement, and planned once a connection (plpgsql keeps its plans)."""
    return (
        f"RETURNS SETOF {kind} LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100 SET search_path = public, pg_temp AS "
        f"$$ BEGIN RETURN QUERY {query}; END $$"
    )


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

# Of a referral r of one's own agency: as for_agency_of, to_confirm_by, answered_for and lately_ended_for say. Each is a query
# of its own that walks an index of what is there now; as one condition they were asked of all that was ever theirs.
_THEIRS = "r.agency_id = (SELECT wall_agency()) AND r.state <> 'draft'"
_HANDED = f"""FROM referrals_referral r JOIN intake_case c ON c.id = r.case_id
    WHERE {_THEIRS} AND r.state IN ({_texts(SEEN_BY_AGENCY)}) AND c.closed_at IS NULL
      AND (r.access_until IS NULL OR r.access_until >= (SELECT wall_today()))"""
_TO_CONFIRM = f"FROM referrals_referral r WHERE {_THEIRS} AND r.state = 'withdrawn' AND r.confirmed_at IS NULL"
_ANSWERED = f"""FROM referrals_referral r JOIN intake_case c ON c.id = r.case_id
    WHERE {_THEIRS} AND r.state IN ({_texts(LEFT_TO_READ)}) AND r.access_until >= (SELECT wall_today())
      AND EXISTS (SELECT 1 FROM referrals_qualitycomment q WHERE q.referral_id = r.id AND q.answered_at IS NOT NULL)
      AND NOT (r.ground IN ({_texts(consent_grounds())}) AND EXISTS (SELECT 1 FROM referrals_consent t
                WHERE t.id = r.consent_id AND (t.withdrawn_at IS NOT NULL OR t.valid_until < (SELECT wall_today()))))"""
_ENDED_LATELY = f"""FROM referrals_referral r
    WHERE {_THEIRS} AND r.state IN ({_texts(ENDED_BY_OTHERS)}) AND (r.state <> 'withdrawn' OR r.confirmed_at IS NOT NULL)
      AND r.ended_at > (SELECT wall_now()) - interval '{LATELY.days} days' AND NOT (SELECT wall_is_police())"""
_ASKED_FOR = f"FROM referrals_referral r WHERE {_THEIRS} AND r.id = (SELECT wall_ended())"
_COUNTED = f"FROM referrals_referral r WHERE {_THEIRS} AND (SELECT wall_counts())"
_LOOKED_AT = "FROM referrals_referral r WHERE r.id = (SELECT wall_looked_at())"


def _seen(column: str) -> str:
    """A column of each referral that is there."""
    parts = (_HANDED, _TO_CONFIRM, _ANSWERED, _ENDED_LATELY, _ASKED_FOR, _COUNTED, _LOOKED_AT)
    return " UNION ALL ".join(f"SELECT r.{column} {part}" for part in parts)


_ASKED_FIRST = "(p.agency_id = (SELECT wall_agency()) OR p.id = (SELECT wall_pre_answer()))"
# A question without a name shows of its case whose it is, and nothing that tells which it is.
_CASES_ASKED = f"""
    SELECT q.case_id FROM referrals_prequestion q JOIN referrals_preanswer p ON p.question_id = q.id WHERE {_ASKED_FIRST}"""
# The words themselves open only while the card is with them: what is to confirm, or has ended lately, holds no word.
_KEYS = f"""
    SELECT c.key_id {_HANDED} UNION ALL SELECT c.key_id {_ANSWERED}
    UNION ALL SELECT c.key_id FROM intake_case c JOIN referrals_referral r ON r.case_id = c.id
     WHERE ({_THEIRS} AND r.id = (SELECT wall_ended())) OR r.id = (SELECT wall_opened())"""
# Whose case it is; who wrote a line that they read.
_PEOPLE = """
    SELECT c.owner_id FROM intake_case c WHERE c.owner_id IS NOT NULL
       AND c.id IN (SELECT * FROM wall_cases() UNION ALL SELECT * FROM wall_cases_asked())
    UNION SELECT s.by_id FROM referrals_statechange s
     WHERE s.by_id IS NOT NULL AND s.referral_id IN (SELECT * FROM wall_referrals())
    UNION SELECT w.by_id FROM referrals_message w
     WHERE w.by_id IS NOT NULL AND w.referral_id IN (SELECT * FROM wall_referrals())"""
_AGENCIES = f"""
    SELECT r.agency_id {_LOOKED_AT}
    UNION ALL SELECT p.agency_id FROM referrals_preanswer p WHERE p.id = (SELECT wall_pre_answer())"""

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
    "wall_is_police()": _past_policies(
        "boolean",
        "SELECT EXISTS (SELECT 1 FROM referrals_partneragency WHERE id = wall_agency() AND (receiver_kind IN"
        f" ({_texts(POLICE)}) OR (receiver_kind = '' AND type IN ({_POLICE_TYPES}))))",
    ),
    "wall_looked_at()": _past_policies("uuid", _IS_LOOKED_AT),
    "wall_opened()": _past_policies("uuid", _IS_OPENED),
    "wall_referrals()": _ids("uuid", _seen("id")),
    "wall_cases()": _ids("uuid", _seen("case_id")),
    "wall_cases_asked()": _ids("uuid", _CASES_ASKED),
    "wall_keys()": _ids("uuid", _KEYS),
    "wall_colleagues()": _ids(
        "bigint", "SELECT m.user_id FROM referrals_agencymember m WHERE m.agency_id = (SELECT wall_agency())"
    ),
    "wall_people()": _ids("bigint", _PEOPLE),
    "wall_agencies()": _ids("bigint", _AGENCIES),
}

_OF_A_REFERRAL = "referral_id IN (SELECT * FROM wall_referrals())"
# One's own first: what is dearer is asked where that is not it, and only then.
_AGENCY = "{id} = (SELECT wall_agency()) OR {id} IN (SELECT * FROM wall_agencies())"

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
    "access_until",
)

WALL: list[Walled] = [
    Walled("referrals.Referral", "id IN (SELECT * FROM wall_referrals())", CARD_FIELDS),
    Walled("referrals.StateChange", _OF_A_REFERRAL),
    Walled("referrals.Message", _OF_A_REFERRAL),
    Walled("referrals.QualityComment", _OF_A_REFERRAL),
    Walled("referrals.AskedAgain", _OF_A_REFERRAL),
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
    Walled("referrals.PartnerAgency", _AGENCY.format(id="id")),
    Walled("referrals.AgencyMember", "agency_id = (SELECT wall_agency())"),
    Walled("referrals.OpeningHours", _AGENCY.format(id="agency_id")),
    Walled("referrals.AgencyAbsence", _AGENCY.format(id="agency_id")),
    Walled("referrals.PartnerAgency_municipalities", _AGENCY.format(id="partneragency_id")),
    Walled(
        "intake.Case", "id IN (SELECT * FROM wall_cases()) OR id IN (SELECT * FROM wall_cases_asked())", CASE_FIELDS
    ),
    Walled("people.DataKey", "id IN (SELECT * FROM wall_keys())"),
    Walled(
        "people.User", "id IN (SELECT * FROM wall_colleagues()) OR id IN (SELECT * FROM wall_people())", USER_FIELDS
    ),
    Walled("people.Unit", ""),
    Walled("people.Municipality", ""),
]

"""Words as an agency reads them: where the level of protection has come to forbid addresses, without them; also what was
written before and can never be changed."""

from helpline.people.sealed import SealedModel
from intake import protection


def words_shown(row: SealedModel, field: str = "text") -> str:
    """One text of a message, a change or a comment, as an agency may read it today."""
    return protection.as_kept(row, field, str(getattr(row, field)))

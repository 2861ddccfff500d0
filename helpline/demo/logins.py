"""Who can log in to the demo: the same each time, in demo mode alone."""

from dataclasses import dataclass

PASSWORD = "stodlinjen-demo"  # noqa: S105  # of accounts that exist in demo mode alone; a production start refuses them


@dataclass(frozen=True)
class Login:
    """One demo account: how to log in, who that is, and what there is to see."""

    username: str
    name: str
    role: str
    see: str


LOGINS = [
    Login("caseworker", "Elin Sandberg", "caseworker, Stödlinjen Skövde", "a day's work, own cases, New call"),
    Login("manager", "Karin Ahlgren", "unit manager, Stödlinjen Skövde", "the caseload; give a case to a colleague"),
    Login("caseworker2", "Nils Ahlström", "caseworker, Stödlinjen Lidköping", "another unit: none of Skövde's cases"),
    Login("partner", "Maria Lind", "Socialtjänst vuxen, Lidköping", "the partner portal: handovers to answer"),
    Login("partner2", "Jonas Hedman", "Avhopparstöd", "another agency: its own handovers only"),
    Login("coordinator", "Agneta Wallin", "coordinator", "de-identified statistics of all units, and nothing else"),
    Login("reviewer", "Tomas Ekberg", "data protection and log review", "logs and emergency openings; no case content"),
    Login("keeper", "Birgit Norén", "system keeper", "accounts, agencies and legal grounds; no cases"),
]


def table() -> str:
    """The logins as lines of text."""
    rows = [("login", "password", "who", "role", "what to see")]
    rows += [(one.username, PASSWORD, one.name, one.role, one.see) for one in LOGINS]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        "  " + "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4]])
        for row in rows
    )

"""Ages of people, which we know as bands, and ages that an agency takes, which it says in years."""

import re

Years = tuple[int, int]
ANY: Years = (0, 200)
BAND = re.compile(r"(?P<low>\d+)(?:-(?P<high>\d+)|(?P<more>\+))?")


def years_of(age_band: str) -> Years:
    """The first and the last year that somebody of this band may have: "15-17", "20", "26+". Of an age that is not known,
    any."""
    found = BAND.fullmatch(age_band)
    if found is None:
        return ANY
    low = int(found["low"])
    return low, ANY[1] if found["more"] else int(found["high"] or low)


def overlaps(age_band: str, minimum: int | None, maximum: int | None) -> bool:
    """Whether somebody of the band may be of an age from minimum to maximum (each included; none: no limit). One year in
    common is enough: who is only perhaps too old is asked about, not ruled out by us."""
    low, high = years_of(age_band)
    return low <= (ANY[1] if maximum is None else maximum) and (ANY[0] if minimum is None else minimum) <= high

"""INTERIM: is replaced by the full module in a moment."""

import re
import secrets
from functools import lru_cache
from pathlib import Path


@lru_cache
def words() -> tuple[str, ...]:
    return tuple((Path(__file__).parent / "words.txt").read_text(encoding="utf-8").split())


FOLD = str.maketrans("åäö", "aao")


def new_code() -> str:
    one = secrets.choice(words())
    two = secrets.choice([word for word in words() if word != one])
    return f"{one}-{two}-{secrets.choice([n for n in range(10, 100) if n not in (14, 18, 28, 88)])}"


def normalise(text: str) -> str:
    found = re.findall(r"[a-zåäö]+|\d+", text.lower())
    folded = {word.translate(FOLD): word for word in words()}
    if len(found) == 3 and found[2].isdecimal() and all(w.translate(FOLD) in folded for w in found[:2]):
        return f"{folded[found[0].translate(FOLD)]}-{folded[found[1].translate(FOLD)]}-{found[2]}"
    return ""


def spoken(code: str) -> str:
    one, two, number = code.split("-")
    return f"{one.title()}-{two.title()} {number}"


def slug(code: str) -> str:
    return code.translate(FOLD)

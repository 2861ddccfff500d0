"""A value of a JSON file together with its place, so that whoever reads it can say where it is wrong."""

import json
import math
from collections.abc import Iterator
from typing import Any, NoReturn

from helpline.people.words import fault

MOST_BYTES = 5_000_000
LONGEST = 4_000  # characters of one text


class Broken(Exception):
    """The file cannot be read at this place ("$.contents[3].name")."""

    def __init__(self, place: str, text: str) -> None:
        super().__init__(f"{place}: {text}")


class Node:
    """One value of the file. What is absent, null or empty says nothing."""

    def __init__(self, value: Any, place: str = "$") -> None:
        self.value, self.place = value, place

    def broken(self, text: str) -> NoReturn:
        """Raises Broken at this place."""
        raise Broken(self.place, text)

    def says(self) -> bool:
        """Whether anything stands here."""
        return self.value not in (None, "", [], {})

    def get(self, key: str) -> "Node":
        """What an object holds under a key. Raises Broken where this is no object."""
        if not isinstance(self.value, dict):
            self.broken("must be an object")
        return Node(self.value.get(key), f"{self.place}.{key}")

    def items(self) -> Iterator["Node"]:
        """The rows of a list; none where nothing stands. Raises Broken where this is no list."""
        if not self.says():
            return
        if not isinstance(self.value, list):
            self.broken("must be a list")
        for number, value in enumerate(self.value):
            yield Node(value, f"{self.place}[{number}]")

    def text(self, limit: int = LONGEST) -> str:
        """The text, trimmed. Raises Broken where it is none, is too long, or holds what cannot be kept."""
        if self.value is None:
            return ""
        if not isinstance(self.value, str):
            self.broken("must be a text")
        text: str = self.value.replace("\r\n", "\n").strip()
        if fault(text):
            self.broken(fault(text))
        if len(text) > limit:
            self.broken(f"is {len(text)} characters long; at most {limit} fit")
        return text

    def whole_number(self) -> int | None:
        """The number, where one stands. Raises Broken for what is no whole number."""
        value = self.value
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value % 1:
            self.broken("must be a whole number")
        return int(value)


def parse(data: bytes) -> Node:
    """A file's content. Raises Broken where it is no JSON, says one thing twice, or is too large."""
    if len(data) > MOST_BYTES:
        raise Broken("$", f"the file is larger than {MOST_BYTES // 1_000_000} MB")
    try:
        text = data.decode("utf-8-sig")
        return Node(json.loads(text, object_pairs_hook=_once, parse_constant=_no_number))
    except UnicodeDecodeError as error:
        raise Broken("$", f"the file is not UTF-8 (byte {error.start})") from None
    except json.JSONDecodeError as error:
        raise Broken(f"line {error.lineno}, column {error.colno}", f"no JSON: {error.msg}") from None
    except RecursionError:
        raise Broken("$", "the file is nested too deeply") from None
    except ValueError as error:
        raise Broken("$", str(error)[:200]) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _value in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"an object says {json.dumps(twice)[:60]} twice")
    return found


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")

"""The words of the demo, from the YAML files beside this one."""

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from intake.safe import SafeContact

CHOICE = re.compile(r"\[([^\[\]]*\|[^\[\]]*)\]")


@lru_cache
def read(name: str) -> Any:
    """One of the files: stories, or cases."""
    return yaml.safe_load((Path(__file__).parent / f"{name}.yaml").read_text(encoding="utf-8"))


@lru_cache
def stories() -> dict[str, dict[str, Any]]:
    """Key -> story."""
    return {story["key"]: story for story in read("stories")}


def story(key: str, turn: int) -> dict[str, Any]:
    """A story as its first case has it, or its second: of [one|two] one is left; of a list of names too."""
    chosen: dict[str, Any] = _worded(stories()[key], turn)
    for field in ("name", "phone"):
        if field in chosen:
            chosen[field] = chosen[field][turn % len(chosen[field])]
    return chosen


def safe_of(story: dict[str, Any]) -> SafeContact:
    """What is agreed about reaching the one who calls in a story: by key, or in words of its own."""
    agreed = story.get("safe", {})
    return SafeContact().changed(agreed if isinstance(agreed, dict) else {"other": agreed})


def _worded(thing: Any, turn: int) -> Any:
    if isinstance(thing, str):
        return CHOICE.sub(lambda found: (parts := found[1].split("|"))[turn % len(parts)], thing)
    if isinstance(thing, list):
        return [_worded(one, turn) for one in thing]
    return {key: _worded(value, turn) for key, value in thing.items()} if isinstance(thing, dict) else thing

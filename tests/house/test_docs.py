"""Documents that are drawn from tables are current."""

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from helpline.management.commands import draw_states
from referrals.states import MOVES, STATES


def test_the_states_of_a_referral_are_drawn_anew():
    call_command("draw_states", check=True, stdout=StringIO())


def test_a_stale_drawing_is_found(monkeypatch):
    monkeypatch.setitem(draw_states.FHIR, "draft", "ready")
    with pytest.raises(CommandError, match="run manage.py draw_states"):
        call_command("draw_states", check=True)


def test_the_drawing_shows_every_move_once_for_each_source():
    arrows = re.findall(r"^    (\w+) --> (\w+): (\w+)$", draw_states.draw(), re.MULTILINE)
    assert sorted(arrows) == sorted(
        (source, move.target, move.name) for move in MOVES.values() for source in move.sources
    )


def test_every_state_has_its_status():
    assert list(draw_states.FHIR) == STATES
    statuses = "draft requested received accepted rejected ready cancelled in-progress on-hold failed completed"
    assert set(draw_states.FHIR.values()) <= set(statuses.split())


def test_what_statistics_mean_is_drawn_anew():
    call_command("draw_statistics", check=True, stdout=StringIO())

"""Pictures of numbers as the server draws them: bars and lines in a drawing of 550 by 220, with the axis and its labels."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil

LEFT, RIGHT, TOP, FLOOR = 50, 545, 28, 190
LETTER, LARGE = 9, 14.5  # how wide a letter is, and where the window is narrow and the letters are larger
STEPS = [step * 10**power for power in range(7) for step in (1, 2, 5)]


@dataclass(frozen=True)
class Tick:
    """One line of the grid."""

    y: int
    label: str

    @property
    def text_y(self) -> int:
        return self.y + 5


@dataclass(frozen=True)
class Bar:
    """One bar; one that is not told or not known has no height, and says so above."""

    label: str
    said: str
    x: int
    y: int
    width: int
    height: int
    is_unfinished: bool = False
    is_narrow: bool = False  # large letters above would run into those of the next

    @property
    def middle(self) -> int:
        return self.x + self.width // 2

    @property
    def above(self) -> int:
        return self.y - 7


@dataclass(frozen=True)
class Below:
    """Words below the floor; those that are not for all stand only where the letters are small."""

    x: int
    words: str
    is_for_all: bool


@dataclass(frozen=True)
class Dot:
    """One point of a line."""

    x: int
    y: int


@dataclass(frozen=True)
class Line:
    """One line, in as many pieces as there are gaps, with its words at its end. The second is dashed."""

    words: str
    pieces: list[list[Dot]]
    is_second: bool = False
    label_y: int = 0

    @property
    def points(self) -> list[str]:
        """Each piece as an SVG polyline has it."""
        return [" ".join(f"{dot.x},{dot.y}" for dot in piece) for piece in self.pieces]

    @property
    def dots(self) -> list[Dot]:
        return [dot for piece in self.pieces for dot in piece]

    @property
    def end(self) -> Dot | None:
        return self.dots[-1] if self.pieces else None


@dataclass(frozen=True)
class Chart:
    """One picture: its grid, the words below, and bars or lines."""

    ticks: list[Tick]
    below: list[Below]
    bars: list[Bar] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)


def bar_chart(
    labels: Sequence[str], counts: Sequence[int | None], unfinished: int = -1, said: Sequence[str] | None = None
) -> Chart:
    """A bar for each label. Where there are many, not each is labelled. `unfinished`: the place of one that goes on."""
    top, ticks = _grid([count or 0 for count in counts])
    room = (RIGHT - LEFT) // max(len(labels), 1)
    width = max(3, min(40, room - 8))
    words = said or ["–" if count is None else str(count) for count in counts]
    bars = [
        Bar(
            label,
            words[place] if room >= 24 else "",
            LEFT + room * place + (room - width) // 2,
            FLOOR - (height := round((FLOOR - TOP) * (counts[place] or 0) / top)),
            width,
            height,
            place == unfinished,
            len(words[place]) * LARGE > room,
        )
        for place, label in enumerate(labels)
    ]
    return Chart(ticks, _below([(bar.middle, bar.label) for bar in bars], room), bars=bars)


def line_chart(
    labels: Sequence[str], lines: Sequence[tuple[str, Sequence[int | None]]], room_for_words: int = 110
) -> Chart:
    """A line for each (words, values); a value that there is not makes a gap. The words stand at the ends, apart."""
    top, ticks = _grid([value or 0 for _words, values in lines for value in values])
    room = (RIGHT - LEFT - room_for_words) // max(len(labels), 1)
    xs = [LEFT + room * place + room // 2 for place in range(len(labels))]
    drawn = []
    for place, (words, values) in enumerate(lines):
        pieces: list[list[Dot]] = [[]]
        for x, value in zip(xs, values, strict=True):
            if value is None:
                pieces.append([])
            else:
                pieces[-1].append(Dot(x, FLOOR - round((FLOOR - TOP) * value / top)))
        drawn.append(Line(words, [piece for piece in pieces if piece], is_second=place > 0))
    return Chart(ticks, _below(list(zip(xs, labels, strict=True)), room), lines=_labelled(drawn))


def _labelled(lines: list[Line]) -> list[Line]:
    """The lines with the height of their words: as their ends, and at least a line of text apart."""
    found, last = [], 0
    for line in sorted((one for one in lines if one.end), key=lambda one: one.end.y if one.end else 0):
        last = max((line.end.y if line.end else 0) + 5, last + 19)
        found.append(Line(line.words, line.pieces, line.is_second, last))
    return found


def _grid(counts: Sequence[int]) -> tuple[int, list[Tick]]:
    """The top of the axis, and its lines: four at the most above the floor."""
    most = max([*counts, 1])
    step = next((step for step in STEPS if step * 4 >= most), most)
    lines = ceil(most / step)
    top = step * lines
    return top, [Tick(FLOOR - round((FLOOR - TOP) * step * n / top), str(step * n)) for n in range(lines + 1)]


def _below(labels: list[tuple[int, str]], room: int) -> list[Below]:
    """The words below: as many as have room, and of these, as many as have it in large letters."""
    longest = max((len(label) for _x, label in labels), default=1)
    each, large = (max(1, ceil(longest * letter / max(room, 1))) for letter in (LETTER, LARGE))
    large = each * ceil(large / each)
    return [
        Below(x, words, place % large == 0 and x + len(words) * LARGE / 2 <= RIGHT + LEFT // 2)
        for place, (x, words) in enumerate(labels)
        if place % each == 0
    ]

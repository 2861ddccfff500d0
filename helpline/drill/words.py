"""Words that a client writes: like those of a call, with letters that are lost easily, and none twice."""

import itertools
import random
import string

SENTENCES = [
    "Hon är orolig för sin bror, säger hon.",
    "Han vill bort därifrån men vågar inte.",
    "Mår dåligt, sover inte; “de ringer varje natt”.",
    "Vi möts där ingen känner henne.\nHon väljer tid själv.",
    "Rösten bröts. Väntade, och hon talade vidare…",
    "Får inte nämnas för familjen – under inga förhållanden.",
]


class Words:
    """One client's words. `name` is letters alone: a long number would be taken for somebody's."""

    def __init__(self, name: str, dice: random.Random) -> None:
        self.name, self.dice = name, dice
        self._numbers = itertools.count(1)

    def new(self) -> str:
        """A text that nobody has written before."""
        mark = "".join(string.ascii_lowercase[int(digit)] for digit in str(next(self._numbers)))
        return f"{self.dice.choice(SENTENCES)} {self.name}{mark}z"

"""All clients of a drill, each in a thread of its own with a file of its own."""

import random
import threading
from collections.abc import Callable
from pathlib import Path

from helpline.drill.agency import Partner
from helpline.drill.browser import Browser, LoggedOut, Over
from helpline.drill.cast import AGENCIES, WORKERS
from helpline.drill.diary import Diary
from helpline.drill.staff import Caseworker
from helpline.drill.traffic import Traffic


class Crowd:
    """Caseworkers and people of agencies, who work until it is over."""

    def __init__(self, port: int, password: str, seed: int, folder: Path) -> None:
        self.traffic = Traffic()
        self.port, self.password, self.seed, self.folder = port, password, seed, folder
        self.faults: list[str] = []  # of the clients themselves: none is expected
        makers = {**dict.fromkeys(WORKERS, Caseworker), **dict.fromkeys(AGENCIES, Partner)}
        self.threads = [
            threading.Thread(target=self._live, args=(name, make), name=name, daemon=True)
            for name, make in makers.items()
        ]

    def start(self) -> None:
        """Everybody logs in and begins."""
        for thread in self.threads:
            thread.start()

    @property
    def is_at_work(self) -> bool:
        return any(thread.is_alive() for thread in self.threads)

    def _live(self, name: str, make: Callable[[Browser, Diary, random.Random], Caseworker | Partner]) -> None:
        dice = random.Random(f"{self.seed} {name}")
        diary = Diary(self.folder / f"{name}.jsonl")
        person = make(Browser(self.port, self.traffic), diary, dice)
        known = False
        try:
            while not self.traffic.over.is_set():
                try:
                    if not known:
                        person.browser.log_in(name, self.password)
                        known = True
                    person.works()
                except LoggedOut:
                    known = False
                self.traffic.over.wait(dice.uniform(0.02, 0.2))
        except Over:
            pass
        except Exception as error:  # a client that stopped would be missed by nobody
            self.faults.append(f"{name}: {type(error).__name__}: {error}")
        finally:
            diary.close()

"""What a drill of minutes cannot wait for is brought forward: as the database's owner, as if days had passed."""

import random
import threading
from contextlib import closing

import psycopg2

EVERY = 1.0  # seconds
# What, how many at a time at most, and how likely at each look. Only times are moved, never what is due then.
FORWARD: dict[str, tuple[str, float]] = {
    # The late rung of a step comes the next working morning: the managers are told.
    "late rungs": (
        """
        UPDATE intake_reminder SET due_at = now() + random() * interval '2 seconds' WHERE id IN (
            SELECT r.id FROM intake_reminder r JOIN intake_followup f ON f.id = r.step_id
            WHERE r.state = 'scheduled' AND f.state = 'planned' AND r.due_at > now() + interval '2 minutes'
            ORDER BY random() LIMIT 4 FOR UPDATE OF r SKIP LOCKED)
        """,
        1.0,
    ),
    # An agency that is silent: some of the next rungs of its ladder, in their order, one after the other.
    "silence": (
        """
        WITH silent AS MATERIALIZED (
            SELECT id, 1 + floor(random() * 5) AS rungs FROM referrals_referral WHERE state IN ('sent', 'opened')
            AND sent_at < now() - interval '3 seconds' ORDER BY random() LIMIT 1 FOR UPDATE SKIP LOCKED),
        next AS (
            SELECT r.id, row_number() OVER (ORDER BY r.due_at, r.id) AS n, silent.rungs
            FROM referrals_silencerung r JOIN silent ON silent.id = r.referral_id
            WHERE r.state = 'scheduled' AND r.due_at > now() + interval '1 minute')
        UPDATE referrals_silencerung SET due_at = now() + next.n * interval '1.5 seconds'
        FROM next WHERE next.id = referrals_silencerung.id AND next.n <= next.rungs
        """,
        0.5,
    ),
    # What rests until a day: the day has come.
    "pauses": (
        """
        UPDATE referrals_referral SET hold_until = (now() AT TIME ZONE 'Europe/Stockholm')::date WHERE id IN (
            SELECT id FROM referrals_referral WHERE state = 'on_hold'
            AND hold_until > (now() AT TIME ZONE 'Europe/Stockholm')::date LIMIT 1 FOR UPDATE SKIP LOCKED)
        """,
        0.3,
    ),
    # The lease of a mail whose sender died half a minute ago: the worker's own time for one mail is ten seconds.
    "leases": (
        """
        UPDATE people_notice SET lease_until = now() WHERE id IN (
            SELECT id FROM people_notice WHERE mail = 'sending' AND lease_until > now()
            AND lease_until < now() + interval '90 seconds' FOR UPDATE SKIP LOCKED)
        """,
        1.0,
    ),
}


class Hurry:
    """Runs in a thread until it is stopped."""

    def __init__(self, url: str, seed: int) -> None:
        self.url = url
        self.moved = dict.fromkeys(FORWARD, 0)
        self.dice = random.Random(f"{seed} hurry")
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """From now on."""
        self._thread.start()

    def stop(self) -> None:
        """What is due now is due; nothing more is brought forward but the leases of the dead."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(EVERY):
            for name, (_sql, chance) in FORWARD.items():
                if self.dice.random() < chance:
                    self.forward(name)

    def forward(self, name: str) -> None:
        """Bring one kind forward. A database that is away is asked again the next time."""
        try:
            with closing(psycopg2.connect(self.url, connect_timeout=2)) as given, given, given.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '1s'")
                cursor.execute(FORWARD[name][0])
                self.moved[name] += cursor.rowcount
        except psycopg2.Error:
            pass

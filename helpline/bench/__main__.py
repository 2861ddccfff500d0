"""python -m helpline.bench: fills, verifies, measures and tells. BENCH_CASES says how many cases (1000000)."""

import os
import sys

from helpline.bench import order
from helpline.bench.stage import opened
from helpline.local.console import EAR, Stop, Trouble, warn


def main() -> int:
    """The exit code: 0 where it was measured, 1 where it could not be, or what was loaded is not whole."""
    EAR.listen()
    try:
        wanted = order.read()
        with opened(wanted) as stage:
            os.environ.update(stage.env)
            import django

            django.setup()
            from helpline.bench.run import run

            return run(wanted, stage)
    except Trouble as trouble:
        warn(str(trouble))
    except Stop as stop:
        return 128 + stop.signum
    return 1


if __name__ == "__main__":
    sys.exit(main())

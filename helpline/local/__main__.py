"""python -m helpline.local run | with -- CMD ARGS"""

import sys

from helpline.local.borrowed import run_with
from helpline.local.console import EAR, Stop, Trouble, warn
from helpline.local.run import run

USAGE = "usage: python -m helpline.local run\n       python -m helpline.local with -- CMD ARGS..."


def main(arguments: list[str]) -> int:
    """The exit code: of the command for `with`, 1 for trouble that the text explains, 2 for a misspelt call."""
    EAR.listen()
    try:
        if arguments == ["run"]:
            return run()
        if arguments[:2] == ["with", "--"] and len(arguments) > 2:
            return run_with(arguments[2:])
    except Trouble as trouble:
        warn(str(trouble))
        return 1
    except Stop as stop:
        return 128 + stop.signum
    except PermissionError as error:
        warn(f"{error.filename}: {error.strerror}. Was it made by another user? `make clean` as that user removes it.")
        return 1
    warn(USAGE)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

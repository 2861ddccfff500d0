"""Finds a Chromium for the story tests, or installs one. Prints the path of its program on stdout, and nothing else."""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
APT = ("env", "DEBIAN_FRONTEND=noninteractive", "apt-get")
INSTALL = (*APT, "install", "-y", "-q", "--no-install-recommends", "chromium")
PATIENCE = 300  # seconds for a download


def works(program: str | None) -> bool:
    """Whether it starts: a name on PATH may be a stub, and a downloaded browser may miss system libraries."""
    if not program:
        return False
    try:
        done = subprocess.run([program, "--version"], capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def of_machine() -> str | None:
    """The one that is named in CHROMIUM, or on PATH."""
    candidates = [os.environ.get("CHROMIUM"), *map(shutil.which, NAMES)]
    return next((program for program in candidates if program and works(program)), None)


def of_playwright() -> str | None:
    """The one that Playwright downloaded, now or earlier."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        program = playwright.chromium.executable_path
    return program if works(program) else None


def attempt(*command: str) -> None:
    """A try at installing: what comes of it is seen by looking again."""
    print(f"No browser yet, trying: {' '.join(command)}", file=sys.stderr, flush=True)
    try:
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        print(error, file=sys.stderr, flush=True)


def download() -> str | None:
    """With Playwright's own download: needs no rights."""
    attempt(sys.executable, "-m", "playwright", "install", "chromium")
    return of_playwright()


def from_system() -> str | None:
    """With the system's package manager: needs root, and lists of packages that may not be there yet."""
    if not shutil.which("apt-get"):
        return None
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    attempt(*sudo, *INSTALL)
    if not of_machine():
        attempt(*sudo, *APT, "update", "-q")
        attempt(*sudo, *INSTALL)
    return of_machine()


def main() -> int:
    """Tries each way until one gives a browser that starts."""
    for way in (of_machine, of_playwright, download, from_system):
        program = way()
        if program:
            print(program)
            return 0
    print("No Chromium could be found or installed: install one and name it, CHROMIUM=/path make test", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())

"""A line for each part of `make fuzz` as soon as it is done: it runs for most of an hour, on two cores."""

import gc
import os
import sys
import time

BEGAN = time.monotonic()


def pytest_collection_finish() -> None:
    """What is there now stays: it is not looked through again and again for what may go."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def pytest_runtest_logreport(report) -> None:
    """What a test has found, said once: by the process that hears of all."""
    found = dict(report.user_properties).get("tally")
    if report.when == "call" and found and "PYTEST_XDIST_WORKER" not in os.environ:
        spent = time.monotonic() - BEGAN
        print(f"\n{spent:6.0f} s  {report.nodeid.rpartition('::')[2]:<32} {found}", file=sys.__stderr__, flush=True)

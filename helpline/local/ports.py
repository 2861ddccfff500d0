"""Free ports of this machine."""

import socket
import time

from helpline.local.console import pause

HOST = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether we could listen there."""
    with socket.socket() as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((HOST, port))
        except OSError:
            return False
        return True


def becomes_free(port: int, within: float) -> bool:
    """Whether we could listen there now, or soon: what was there may be on its way out."""
    deadline = time.monotonic() + within
    while not is_free(port):
        if time.monotonic() >= deadline:
            return False
        pause(0.2)
    return True


def free_port(preferred: int | None = None) -> int:
    """The preferred port if it is free, else one that the system chooses."""
    if preferred and is_free(preferred):
        return preferred
    with socket.socket() as door:
        door.bind((HOST, 0))
        port: int = door.getsockname()[1]
        return port

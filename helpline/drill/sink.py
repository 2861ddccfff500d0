"""A mail server that takes everything and writes down which message it took; its answer comes a moment after."""

import contextlib
import socketserver
import threading
import time
from collections import Counter
from pathlib import Path

from helpline.local.ports import HOST

DELAY = 0.4  # seconds between taking a message and saying so: whoever dies meanwhile does not know its fate


class Sink(socketserver.ThreadingTCPServer):
    """Runs in a thread. Each message is a line of a file: its Message-ID."""

    daemon_threads = True

    def __init__(self, path: Path) -> None:
        super().__init__((HOST, 0), Talk)
        self.path = path
        path.touch()
        self._lock = threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.socket.getsockname()[1])

    def taken(self) -> Counter[str]:
        """Message-ID -> how often it was taken."""
        return Counter(self.path.read_text(encoding="utf-8").split())

    def take(self, message: list[str]) -> None:
        """One message."""
        mark = next((line.partition(":")[2].strip() for line in message if line.lower().startswith("message-id:")), "?")
        with self._lock, self.path.open("a", encoding="utf-8") as file:
            file.write(mark + "\n")
        time.sleep(DELAY)

    def stop(self) -> None:
        """No more mail."""
        self.shutdown()
        self.server_close()


class Talk(socketserver.StreamRequestHandler):
    """One who sends: as much SMTP as Python's own client speaks."""

    server: Sink

    def handle(self) -> None:
        """Until the sender has done, or was killed."""
        with contextlib.suppress(OSError):
            self._say("220 drill")
            while line := self._hear():
                verb = line.upper()[:4]
                if verb == "DATA":
                    self._say("354 go on")
                    self.server.take(self._message())
                self._say("221 bye" if verb == "QUIT" else "250 ok")

    def _message(self) -> list[str]:
        lines = []
        while (line := self._hear()) != ".\r\n":
            if not line:
                raise ConnectionAbortedError
            lines.append(line)
        return lines

    def _hear(self) -> str:
        return self.rfile.readline().decode(errors="replace")

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())

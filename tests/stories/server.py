"""The web server as it runs in earnest, on the test's database."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.error import URLError
from urllib.parse import quote

from django.conf import settings
from django.db import connection

from tests.conftest import APP_LOGIN

ROOT = Path(__file__).parent.parent.parent


def app_url() -> str:
    """The test's database, as the application's role."""
    database = connection.settings_dict
    user, password = quote(APP_LOGIN["USER"]), quote(APP_LOGIN["PASSWORD"])
    return f"postgres://{user}:{password}@{database['HOST']}:{database['PORT']}/{database['NAME']}"


class Server:
    """A gunicorn process on the test's database, to be killed and started again on the same port."""

    def __init__(self, folder: Path, **environment: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = (folder / "gunicorn.log").open("wb")
        self.folder = folder
        self.environment = environment  # over that of the tests
        self.application = "helpline.wsgi"
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        url = app_url()
        env = {
            **os.environ,
            **{"DATABASE_URL": url, "OWNER_DATABASE_URL": url, "DEMO": "1", "SECRET_KEY": settings.SECRET_KEY},
            **{"HELPLINE_KEYS": ",".join(settings.HELPLINE_KEYS), "HELPLINE_VAR": str(self.folder)},
            **self.environment,
        }
        command = [sys.executable, "-m", "gunicorn", "-b", f"127.0.0.1:{self.port}", "-w", "2", self.application]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=env, stdout=self.log, stderr=self.log, start_new_session=True
        )
        for _ in range(120):
            try:
                urllib.request.urlopen(f"{self.url}/livez", timeout=2).close()
                return
            except (URLError, OSError):
                time.sleep(0.25)
        raise AssertionError((self.folder / "gunicorn.log").read_text()[-3000:])

    def kill(self) -> None:
        """As when the machine loses power: no worker ends its request."""
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

"""How many statements a page makes, counted as the bench counts them."""

from django.db import connection
from django.test import Client

from helpline.bench.counting import Tally


def statements(client: Client, url: str, **sent) -> list[str]:
    """What the second look at a page asks the database: the first one fills what a process keeps."""
    assert client.get(url, sent).status_code == 200
    tally = Tally()
    with connection.execute_wrapper(tally):
        assert client.get(url, sent).status_code == 200
    return tally.statements

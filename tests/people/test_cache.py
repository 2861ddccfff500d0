"""The cache holds JSON: a row of its table runs nothing."""

import base64
import os
import pickle

import pytest
from django.core.cache import cache
from django.db import connection

pytestmark = pytest.mark.django_db


class Payload:
    def __reduce__(self):
        return exec, ("import os; os.environ['RAN_FROM_THE_CACHE'] = 'yes'",)


def test_a_row_that_is_a_pickle_is_a_miss():
    os.environ.pop("RAN_FROM_THE_CACHE", None)
    value = base64.b64encode(pickle.dumps(Payload())).decode()
    with connection.cursor() as cursor:
        row = [cache.make_key("counted"), value]
        cursor.execute("INSERT INTO cache (cache_key, value, expires) VALUES (%s, %s, now() + interval '1 day')", row)
    assert cache.get("counted", "nothing") == "nothing"
    assert "RAN_FROM_THE_CACHE" not in os.environ
    cache.set("counted", [1.5])
    assert cache.get("counted") == [1.5]


def test_it_keeps_adds_and_forgets():
    assert cache.get("a") is None and cache.add("a", {"b": [1, "å", None]}, 60)
    assert not cache.add("a", 2, 60) and cache.get("a") == {"b": [1, "å", None]}
    assert cache.incr("n", 1) if cache.set("n", 1) else cache.incr("n") == 2
    assert cache.touch("a", -1) and cache.get("a") is None and not cache.touch("a")
    assert cache.add("a", 3, -1) and cache.add("a", 4, None) and cache.get("a") == 4
    assert cache.delete("a") and cache.get_many(["a", "n"]) == {"n": 2}
    with pytest.raises(TypeError):
        cache.set("a", object())


def test_it_counts_on_by_one_statement(django_assert_num_queries):
    for nothing in ("gone", "words"):
        cache.set(nothing, nothing, -1 if nothing == "gone" else 60)
        with pytest.raises(ValueError):
            cache.incr(nothing)
    cache.set("n", 1, 60)
    with django_assert_num_queries(1):
        assert cache.incr("n", 2) == 3
    assert cache.get("n") == 3

"""An attribute that several threads ask for at once is made once."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from ingest.loaded_once import loaded_once


class Thing:
    made = 0

    @loaded_once
    def slow(self):
        """Return something new."""
        type(self).made += 1
        time.sleep(0.05)
        if type(self).made == 1:
            raise OSError("not yet")
        return object()


def test_it_is_made_once_and_not_kept_when_it_failed():
    thing, other, together = Thing(), Thing(), Barrier(4)
    with pytest.raises(OSError, match="not yet"):
        thing.slow  # noqa: B018

    def ask(_):
        together.wait()
        return thing.slow

    with ThreadPoolExecutor(4) as threads:
        assert len(set(threads.map(ask, range(4)))) == 1
    assert Thing.made == 2 and other.slow is not thing.slow and other.slow is other.slow

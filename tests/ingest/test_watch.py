"""A watched folder and its index agree within seconds."""

import threading
import time

from ingest.errors import RagDollyError
from ingest.watch import watch


def wait_until(check, seconds=30):
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, "nothing happened in time"
        time.sleep(0.05)


def watching(folder, home, ingest, errors):
    stop = threading.Event()
    reports = []

    def run():
        for report in watch([folder], home, ingest, errors.append, stop):
            reports.append(report)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    time.sleep(1)
    return stop, thread, reports


def test_changes_reach_the_index_while_it_is_open(folder, ingest, index, tmp_path):
    stop, thread, _ = watching(folder, tmp_path / "index", lambda: ingest(folder), [])
    (folder / "clock.txt").write_text("The clock was wound on Sundays.")
    wait_until(lambda: index.keyword("clock wound", 3))
    (folder / "clock.txt").unlink()
    wait_until(lambda: not index.keyword("clock wound", 3))
    stop.set()
    thread.join(20)
    assert not thread.is_alive()


def test_a_failure_is_told_once_and_the_change_is_not_lost(folder, ingest, index, tmp_path, monkeypatch):
    monkeypatch.setattr("ingest.watch.RETRY_SECONDS", 1)
    calls, errors = [], []

    def busy_twice():
        calls.append(1)
        if len(calls) <= 2:
            raise RagDollyError("the index is busy")
        return ingest(folder)

    stop, thread, _ = watching(folder, tmp_path / "index", busy_twice, errors)
    (folder / "clock.txt").write_text("The clock was wound on Sundays.")
    wait_until(lambda: index.keyword("clock wound", 3))
    assert [str(error) for error in errors] == ["the index is busy"]
    stop.set()
    thread.join(20)


def test_what_changed_before_the_watch_began_is_not_lost(folder, ingest, index, tmp_path, monkeypatch):
    monkeypatch.setattr("ingest.watch.RETRY_SECONDS", 1)
    (folder / "clock.txt").write_text("The clock was wound on Sundays.")
    stop, thread, reports = watching(folder, tmp_path / "index", lambda: ingest(folder), [])
    wait_until(lambda: index.keyword("clock wound", 3))
    time.sleep(3)
    assert len(reports) == 1
    stop.set()
    thread.join(20)


def test_an_index_in_the_folder_does_not_wake_it(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("ingest.watch.RETRY_SECONDS", 1)
    home = folder / ".rag-dolly"
    home.mkdir()
    woken = []
    stop, thread, _ = watching(folder, home, lambda: woken.append(1), [])
    wait_until(lambda: woken)  # once, for what came before
    (home / "index.sqlite3").write_text("written by the run itself")
    time.sleep(2)
    assert woken == [1]
    stop.set()
    thread.join(20)

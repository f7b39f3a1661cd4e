"""One file cannot hurt the run: parsers are processes that are limited, killed and replaced."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from ingest.parse import Parsers, Unparsed

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")


@pytest.fixture
def pipe(tmp_path):
    """A path that blocks whoever opens it, as a hanging parser would."""
    path = tmp_path / "pipe.txt"
    os.mkfifo(path)
    return path


@pytest.fixture
def note(tmp_path):
    path = tmp_path / "note.txt"
    path.write_text("A note that can be read.")
    return path


def children(of):
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(of)], capture_output=True, text=True).stdout
    return {int(pid) for pid in listed.split() if os.path.exists(f"/proc/{pid}/cmdline")}


def workers():
    found = set()
    for pid in children(os.getpid()):
        with open(f"/proc/{pid}/cmdline") as file:
            if "parse_worker" in file.read():
                found.add(pid)
    return found


def test_a_file_that_hangs_is_given_up_and_the_next_is_read(pipe, note):
    with Parsers(1, seconds=1) as parsers:
        with pytest.raises(Unparsed, match="took longer than 1 s"):
            parsers.parse("pipe.txt", pipe)
        assert parsers.parse("note.txt", note).document.text == "A note that can be read."


@pytest.mark.skipif(not os.path.exists("/proc"), reason="finds the process in /proc")
def test_a_parser_that_dies_costs_one_file(pipe, note):
    with Parsers(1) as parsers:
        assert parsers.parse("note.txt", note)
        (worker,) = workers()
        threading.Timer(0.5, os.kill, (worker, signal.SIGSEGV)).start()
        with pytest.raises(Unparsed, match="SIGSEGV"):
            parsers.parse("pipe.txt", pipe)
        assert parsers.parse("note.txt", note)
        assert workers() and worker not in workers()
    assert not workers()


def _refused(parsers, path):
    with pytest.raises(Unparsed):
        parsers.parse(path.name, path)


def test_a_busy_parser_ends_with_the_pool(pipe):
    began = time.monotonic()
    with Parsers(1) as parsers:
        thread = threading.Thread(target=_refused, args=(parsers, pipe))
        thread.start()
        time.sleep(0.5)
    thread.join(30)
    assert not thread.is_alive() and time.monotonic() - began < 30


@pytest.mark.skipif(sys.platform != "linux", reason="memory limits hold on Linux")
def test_a_file_that_needs_too_much_memory_is_said(tmp_path, note):
    large = tmp_path / "large.txt"
    large.write_text("word " * 40_000_000)
    with Parsers(1, memory=400 << 20) as parsers:
        with pytest.raises(Unparsed, match=r"memory|died"):
            parsers.parse("large.txt", large)
        assert parsers.parse("note.txt", note)


def test_a_module_in_the_working_directory_is_not_run(tmp_path, note, monkeypatch):
    (tmp_path / "json.py").write_text("open('touched', 'w')")
    monkeypatch.chdir(tmp_path)
    with Parsers(1) as parsers:
        assert parsers.parse("note.txt", note).document.kind == "text"
    assert not (tmp_path / "touched").exists()


def test_documents_arrive_as_they_were_read(folder, tmp_path):
    from ingest import document_json, loaders

    for path in sorted(folder.rglob("*.*")):
        expected = loaders.load(path.name, path.read_bytes())
        with Parsers(1) as parsers:
            parsed = parsers.parse(path.name, path)
        assert parsed.document == expected == document_json.load(document_json.dump(expected))
        assert parsed.size == path.stat().st_size


def test_each_takes_up_few_items_ahead():
    taken = []

    def items():
        for n in range(100):
            taken.append(n)
            yield n

    with Parsers(2) as parsers:
        results = parsers.each(lambda n: n * n, items())
        next(results)
        assert len(taken) <= 6
        assert sorted([*results]) and len(taken) == 100

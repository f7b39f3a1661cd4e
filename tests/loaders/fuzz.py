"""Damaged files against the loaders: each must become a valid document or an `UnreadableFile` of one line.

`python tests/loaders/fuzz.py --seconds 600 [--kind pdf]` attacks for longer than the tests do, in a child process, so
that a parser in C or Rust may crash and is reported: here it is `ingest.parse` that must cope. An attack is known by
its kind and its number.
"""

import argparse
import io
import random
import re
import signal
import subprocess
import sys
import time
import traceback
import warnings
import zipfile
import zlib
from contextlib import contextmanager
from itertools import pairwise

from document_check import check
from seeds import make_zip, seeds

from ingest.chunk import chunk
from ingest.errors import UnreadableFile
from ingest.loaders import load
from ingest.loaders.kinds import KINDS, SUFFIXES

LONGEST = 10.0
"""Seconds that a small file may take."""

_BATCH = 200
_MOST_MEMORY = 4 << 30
_WORDS = rb"""
99999999999999999999 -1 0 4294967295 2147483648 1e999 NaN %s \ud83d &#xD800; &#0; &a; ]]> --> <!ENTITY <![CDATA[ <?xml
\u-99999 \bin999999999 \'zz {\rtf %PDF- _x0000_ =?utf-8?q?=ED=A0=80?= =?x?b?!?= <br></p> <table> <td/colspan=99999999>
| || ``` ~~~ ::: .. :: #+BEGIN_SRC |=== ---- ==== " ' ; # * = // /* '\''
"""
_LONG = (b"<a>", b"[", b"{", b"(", b'{"a":', b"> ", b"  ", b"*", b"\n", b"- ", b"a,", b"=", b"|")
_UNICODE = "٣ ² Ⅷ ①②③ ﷺ e\u0301\u0302 \u202e \u2028 \u2029 \x85 \ufeff \uffff 𝟘 ı İ ß"
_TOKENS = [
    *_WORDS.split(),
    *(piece * 900 for piece in _LONG),
    *(char.encode() for char in _UNICODE.split(" ")),
    *(bytes(8), b"\xff" * 4, b"\xed\xa0\x80", b"\xff\xfe", b"\x1b$B", b"\r", b"\x0c", b"\t", b"\nFrom ", b"\r\n\r\n"),
]


class Hang(BaseException):
    """A loader took longer than it may."""


def attack(kind: str, number: int) -> tuple[str, bytes]:
    """Return the name and the bytes of one damaged file, always the same for the same arguments."""
    rng = random.Random(f"{kind} {number}")
    name, data = seeds()[kind]
    for _ in range(rng.choice((1, 1, 2, 4))):
        data = _inside_zip(rng, data) if data.startswith(b"PK") and rng.random() < 0.7 else _damage(rng, data)
    if rng.random() < 0.1:
        name = "seed" + rng.choice(sorted(SUFFIXES))
    return name, data


def outcome(name: str, data: bytes) -> str:
    """Return "document" or "refused". Raises whatever breaks the promise, `Hang` included."""
    with _no_longer_than(LONGEST), warnings.catch_warnings():
        warnings.simplefilter("error")  # what a library mutters about a file would reach the user's terminal
        try:
            document = load(name, data)
        except UnreadableFile as error:
            assert str(error).strip() and "\n" not in str(error)
            assert "Warning: " not in str(error), str(error)
            str(error).encode()
            return "refused"
        check(document)
        assert document.kind in KINDS and document.source == name
        words = [document.title, *document.warnings, *(block.title for block in document.blocks)]
        "".join([*words, *(place.kind + place.inside for place in document.places)]).encode()
        _check_passages(document)
    return "document"


def _check_passages(document) -> None:
    def token_spans(text: str) -> list[tuple[int, int]]:
        return [match.span() for match in re.finditer(r"\w{1,8}|[^\w\s]", text)]

    passages = chunk(document, token_spans, 60)
    assert passages
    assert all(document.text[passage.start : passage.end] == passage.text for passage in passages)
    assert all(first.end <= second.start for first, second in pairwise(passages))


@contextmanager
def _no_longer_than(seconds: float):
    def stop(*_: object) -> None:
        raise Hang(f"more than {seconds} s")

    if not hasattr(signal, "SIGALRM"):
        yield
        return
    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _damage(rng: random.Random, data: bytes) -> bytes:
    at = rng.randrange(len(data) + 1)
    to = min(len(data), at + rng.choice((1, 4, 30, 200, 3000)))
    match rng.choice(("flip", "flip", "cut", "drop", "repeat", "token", "token", "number", "zero", "join")):
        case "flip":
            damaged = bytearray(data)
            for _ in range(rng.choice((1, 3, 20)) if data else 0):
                damaged[rng.randrange(len(data))] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
            return bytes(damaged)
        case "cut":
            return data[:at]
        case "drop":
            return data[:at] + data[to:]
        case "repeat":
            return data[:at] + data[at:to] * rng.choice((2, 3, 100)) + data[to:]
        case "token":
            return data[:at] + rng.choice(_TOKENS) + data[at:]
        case "number":
            return _other_number(rng, data)
        case "zero":
            return data[:at] + bytes(to - at) + data[to:]
    return data + seeds()[rng.choice(sorted(seeds()))][1]


def _other_number(rng: random.Random, data: bytes) -> bytes:
    found = list(re.finditer(rb"\d+", data))
    if not found:
        return data
    start, end = rng.choice(found).span()
    return data[:start] + rng.choice((b"0", b"-1", b"4294967295", b"99999999999999999999", b"1.5", b"x")) + data[end:]


def _inside_zip(rng: random.Random, data: bytes) -> bytes:
    """Return the archive with one of its parts damaged, missing, or in the place of another."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = {member.filename: archive.read(member) for member in archive.infolist()}
        victim = rng.choice(sorted(parts, key=lambda name: (not name.endswith("xml"), name))[: rng.choice((3, 99))])
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, RuntimeError, IndexError, zlib.error):
        return _damage(rng, data)
    match rng.choice(("damage", "damage", "damage", "lose", "swap")):
        case "damage":
            parts[victim] = _damage(rng, parts[victim])
        case "lose":
            del parts[victim]
        case "swap":
            parts[victim] = parts[rng.choice(sorted(parts))]
    return make_zip(parts, rng.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED)))


def _run(kind: str, first: int, last: int) -> None:
    """Make the attacks from `first` to `last`; say which one is under way and what broke."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    for number in range(first, last):
        sys.stderr.write(f"\0{number}\n")
        sys.stderr.flush()
        try:
            outcome(*attack(kind, number))
        except BaseException as error:
            frames = "".join(traceback.format_exception(error)[-4:])
            sys.stdout.write(f"FAILED {kind} {number}: {frames}\n")
            sys.stdout.flush()


def _watch(kind: str, first: int, last: int) -> tuple[int, int]:
    """Have the attacks made in a child process, a new one after each crash; return (failures, crashes)."""
    failures = crashes = 0
    while first < last:
        command = [sys.executable, __file__, "--kind", kind, "--first", str(first), "--child", str(last - first)]
        run = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        sys.stdout.write(run.stdout)
        failures += run.stdout.count("FAILED ")
        if run.returncode == 0:
            break
        number, _, said = run.stderr.rpartition("\0")[2].partition("\n")
        sys.stdout.write(f"CRASHED {kind} {number}, exit {run.returncode}: {' '.join(said.split())[:200]}\n")
        crashes += 1
        first = int(number) + 1
    return failures, crashes


def _main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--kind", choices=sorted(seeds()))
    parser.add_argument("--first", type=int, default=0, help="number of the first attack")
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        _run(given.kind, given.first, given.first + given.child)
        return 0
    end, first, failures, crashes = time.monotonic() + given.seconds, given.first, 0, 0
    while time.monotonic() < end:
        for kind in [given.kind] if given.kind else sorted(seeds()):
            failed, crashed = _watch(kind, first, first + _BATCH)
            failures, crashes = failures + failed, crashes + crashed
        first += _BATCH
        sys.stdout.write(f"attacks up to {first} on each kind: {failures} failures, {crashes} crashes\n")
        sys.stdout.flush()
    return 1 if failures or crashes else 0


if __name__ == "__main__":
    sys.exit(_main())

"""Counts and durations in the text format of Prometheus (version 0.0.4).

Everything is counted in the thread of the event loop, so nothing is locked. Names and labels are ours: no text of a
request is ever a label.
"""

import bisect
import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
"""Upper ends of the buckets of durations."""
Labels = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Histogram:
    """How many durations fell into each bucket, the last being beyond all ends, and their sum."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(SECONDS) + 1))
    total: float = 0.0

    def add(self, seconds: float) -> None:
        """Count a duration."""
        self.counts[bisect.bisect_left(SECONDS, seconds)] += 1
        self.total += seconds


@dataclass(slots=True)
class Metrics:
    """What is counted from the start of the server."""

    requests: Counter[Labels] = field(default_factory=Counter)
    seconds: dict[Labels, Histogram] = field(default_factory=dict)
    first_text: Histogram = field(default_factory=Histogram)
    answers: Counter[Labels] = field(default_factory=Counter)
    tokens: Counter[Labels] = field(default_factory=Counter)

    def served(self, path: str, status: int, seconds: float) -> None:
        """Count a request."""
        self.requests[("path", path), ("status", str(status))] += 1
        self.seconds.setdefault((("path", path),), Histogram()).add(seconds)

    def answered(self, mode: str, prompt_tokens: int = 0, answer_tokens: int = 0) -> None:
        """Count an answer; `mode` is that of the answer, "cancelled" or "failed"."""
        self.answers[("mode", mode),] += 1
        self.tokens[("kind", "prompt"),] += prompt_tokens
        self.tokens[("kind", "answer"),] += answer_tokens

    def text(self, gauges: Mapping[str, tuple[str, float]]) -> str:
        """Return all as text; `gauges` are name -> (help, value), names without "rag_dolly_"."""
        first: dict[Labels, Histogram] = {(): self.first_text}
        lines = itertools.chain(
            _counter("requests_total", "Requests served.", self.requests),
            _histogram("request_seconds", "Seconds from a request to the end of its response.", self.seconds),
            _histogram("first_token_seconds", "Seconds from a question to the first text of its answer.", first),
            _counter("answers_total", "Answers by mode; cancelled: the client went away.", self.answers),
            _counter("tokens_total", "Tokens that the language model read and wrote.", self.tokens),
            *(_gauge(name, about, value) for name, (about, value) in gauges.items()),
        )
        return "".join(f"{line}\n" for line in lines)


def _counter(name: str, about: str, counts: Mapping[Labels, int]) -> Iterator[str]:
    yield from _head(name, about, "counter")
    for labels, count in sorted(counts.items()):
        yield f"rag_dolly_{name}{_said(labels)} {count}"


def _histogram(name: str, about: str, found: Mapping[Labels, Histogram]) -> Iterator[str]:
    yield from _head(name, about, "histogram")
    for labels, histogram in sorted(found.items()):
        ends = [*map(str, SECONDS), "+Inf"]
        for end, count in zip(ends, itertools.accumulate(histogram.counts), strict=True):
            yield f"rag_dolly_{name}_bucket{_said((*labels, ('le', end)))} {count}"
        yield f"rag_dolly_{name}_sum{_said(labels)} {histogram.total:.6f}"
        yield f"rag_dolly_{name}_count{_said(labels)} {sum(histogram.counts)}"


def _gauge(name: str, about: str, value: float) -> Iterator[str]:
    yield from _head(name, about, "gauge")
    yield f"rag_dolly_{name} {value:g}"


def _head(name: str, about: str, kind: str) -> Iterator[str]:
    yield f"# HELP rag_dolly_{name} {about}"
    yield f"# TYPE rag_dolly_{name} {kind}"


def _said(labels: Labels) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels) + "}" if labels else ""

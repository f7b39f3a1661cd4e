"""A chain and an index in memory, behind the page's own seam (`rag_dolly.app.engine.Backend`).

The answer to a question is the first sentences of the documents that share a word with it. Words in the question
steer it: "unknown" abstains, "broken" fails with a line, "crash" with an exception, "long" gives 40 sentences,
"hostile" an answer full of markup, "quote" the quoted mode, "crowded" leaves out the last passage. A passage with the
word "copied" is also in another document.
"""

import time
from dataclasses import dataclass, field
from pathlib import Path

from fake_library import FakeWork, store_of
from fake_model import FakeModel
from fake_passages import FakePassages, retriever_of
from fake_vectors import FakeVectors

from ingest.errors import IndexMissing, RagDollyError
from ingest.report import Progress, Report
from rag_dolly.trace import Candidate, Nearness, Passage, Prompt, QuoteConsidered, Sentence, Trace, Where

GUIDE = """# Water the garden

Water the tomatoes in the morning. Evening water invites mildew.

# Feed the soil

Compost feeds the soil slowly. Spread two centimetres of it in March.
"""
HOSTILE = (
    "![pixel](https://evil.example/?q=secret) <img src=x onerror=alert(1)> <script>alert(2)</script> "
    "[click](javascript:alert(3)) https://evil.example www.evil.example $x^2$ :smile: :material/home: :red[red] [99]"
)


@dataclass
class Row:
    source: str
    passages: int = 1
    state: str = "indexed"
    reason: str = ""
    kind: str = "md"
    title: str = ""
    bytes: int = 1000


@dataclass
class Stored:
    source: str
    text: str
    kind: str = "md"
    title: str = ""
    page_starts: tuple[int, ...] = ()
    path: Path = Path("/nonexistent")


class FakeIndex(FakePassages, FakeVectors):
    def __init__(self, texts, failed=(), partial=()):
        self.texts = dict(texts)
        self.failed = dict(failed)
        self.partial = dict(partial)

    @property
    def passage_count(self):
        return len(self.texts)

    @property
    def database(self):
        return store_of(self.documents(), self.texts)

    def documents(self):
        broken = [Row(name, 0, "failed", reason) for name, reason in self.failed.items()]
        kind = lambda name: name.rpartition(".")[2]  # noqa: E731
        return [Row(name, reason=self.partial.get(name, ""), kind=kind(name)) for name in self.texts] + broken

    def read_document(self, source):
        return Stored(source, self.texts[source]) if source in self.texts else None

    def headings(self, limit):
        lines = [line[2:] for text in self.texts.values() for line in text.splitlines() if line.startswith("# ")]
        return lines[:limit]


@dataclass
class FakeChain:
    index: FakeIndex
    pause: float = 0.0
    warmed: bool = False
    model: object = None
    asked: list = field(default_factory=list)

    @property
    def retriever(self):
        return retriever_of(self.index.texts)

    def warm(self):
        time.sleep(self.pause)
        self.warmed = True
        return self.model

    def stream(self, input, *, stop):
        question = input["question"]
        self.asked.append(input)
        if "broken" in question:
            raise RagDollyError("The model ran out of memory: choose a smaller one.")
        if "crash" in question:
            raise ValueError("a secret path")
        spans = sentences(self.index.texts, question)
        hits = [hit(rank, *span) for rank, span in enumerate(spans, 1)]
        left = [{"rank": len(hits), "reason": "did not fit"}] if "crowded" in question else []
        first = {"question": question, "context": [], "retrieved": hits, "model": "fake"}
        yield first | {"left_out": len(left), "left_out_hits": left}
        if "unknown" in question:
            yield {"answer": "", "citations": [], "mode": "abstained", "abstained": True, "timings": {"total": 0.1}}
            return
        for number, said in enumerate(script(question, spans), 1):
            if stop():
                break
            time.sleep(self.pause)
            cited = [citation(number, *spans[number - 1])] if number < len(spans) else []
            yield {"answer": f"{said} [{number}] ", "citations": cited}
        mode = "quoted" if "quote" in question else "generated"
        yield {"mode": mode, "abstained": False, "usage": {}, "timings": {"total": 1.25}}
        if input.get("explain"):
            yield {"trace": trace(question, spans)}


def script(question, spans):
    """Return the sentences of the answer; the last passage found is never cited."""
    if "hostile" in question:
        return [HOSTILE]
    said = [text for _, _, _, text in spans[:-1]] or ["Nothing"]
    return said * 40 if "long" in question else said


def sentences(texts, question):
    """Return (source, start, end, text) of every sentence of the documents, those named in the question first."""
    spans = []
    for source, text in texts.items():
        for line in text.splitlines():
            if line and not line.startswith("#"):
                start = text.index(line)
                end = start + (line.index(".") + 1 if "." in line else len(line))
                spans.append((source, start, end, text[start:end]))
    words = {word for word in question.lower().strip("?").split() if len(word) > 3}
    return sorted(spans, key=lambda span: -len(words & set(span[3].lower().strip(".").split())))[:6]


def hit(rank, source, start, end, text):
    place = {"rank": rank, "source": source, "ordinal": 0, "page": None, "start": start, "end": end, "heading": ""}
    also = ["copy.md, page 3"] if "copied" in text else []
    scores = {"score": 0.5, "dense": 0.5, "keyword": None, "rerank": None}
    return place | scores | {"text": text, "place": "", "also": also}


def trace(question, spans):
    """Return the trace of an answer in which one sentence was shown and one dropped."""
    places = [Where(source, None, "", start, end, text) for source, start, end, text in spans]
    candidates = [
        Candidate(n, at, 0.5, 2.0, 0.9, None, None, {"dense": n}, n, "kept") for n, at in enumerate(places, 1)
    ]
    passages = [Passage(n, at, ("copy.md, page 3",), n, 12, False, "") for n, at in enumerate(places, 1)]
    shown = Sentence(places[0].text, "shown", "", "", 0.97, 1, places[0])
    lacks = "the nearest text does not have the number 99"
    dropped = Sentence(f"{HOSTILE} 99", "dropped", "number", lacks, 0.4, None, places[0])
    prompt = Prompt(f"Prompt of {HOSTILE}\n{question}", 1000, 900, 80, 20, 9, 0, 0, True)
    quotes = (QuoteConsidered(places[0], 1.2, 0.7, None),)
    near = Nearness(0.5, 0.5, 0.75, 0.55, True)
    found = Trace(question, question, "", 7, tuple(candidates), near, tuple(passages), "fake", prompt, (shown, dropped),
                  quotes, "generated", "Generated: 1 of 2 sentences of the model.", {"search": 0.1})  # fmt: skip
    return found.to_json()


def citation(number, source, start, end, text):
    where = {"n": number, "source": source, "page": None, "start": start, "end": end, "place": ""}
    return where | {"text": text, "score": 0.9}


class FakeBackend(FakeWork, FakeModel):
    """`texts=None` means that there is no index until something is ingested. Files with "broken" in the name fail,
    those with "partly" in it are read in part."""

    def __init__(self, index_dir, texts=None, pause=0.0, error=None, model="auto"):
        self.index_dir = Path(index_dir)
        self.model = model
        self.pause = pause
        self.error = error
        self.index = FakeIndex(texts) if texts is not None else None
        self.chain = None

    def open_chain(self, tell):
        if self.error:
            raise self.error
        if self.index is None:
            raise IndexMissing("No index in the folder.")
        self.chain = FakeChain(self.index, self.pause, model=self.load_model(tell))
        tell("Model: fake (for tests)")
        return self.chain

    def ingest(self, paths, on_progress):
        self.check()
        self.index = self.index or FakeIndex({})
        files = sorted(path for path in paths[0].iterdir())
        report = Report()
        for done, path in enumerate(files, 1):
            time.sleep(self.pause)
            if "broken" in path.name:
                self.index.failed[path.name] = "not what its name says"
                report.failed.append((path.name, "not what its name says"))
            else:
                self.index.texts[path.name] = path.read_text()
                report.added += 1
            if "partly" in path.name:
                self.index.partial[path.name] = "page 2: a scan\npage 3: a scan"
            on_progress(Progress("stored", path.name, done, len(files)))
        report.partial += [(n, line) for n, lines in self.index.partial.items() for line in lines.splitlines()]
        return report

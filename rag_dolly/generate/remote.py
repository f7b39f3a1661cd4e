"""A language model on a server with an OpenAI-compatible interface: vLLM, llama.cpp, Ollama, `transformers serve`.

A model whose name has "dolly" in it gets Dolly's exact prompt through raw completion and stops at "### End". Any other
model is asked as a chat; if the server has no chat for it, it gets Dolly's format as plain text. Decoding is greedy as
far as the server does it. Everything in a prompt (question, passages, earlier turns) is sent to the server. How a
server counts and what it takes is found out in `remote_limits`, how it is talked to in `remote_http`.

Limits: the control tokens of the model are not known here, so text is guarded against Dolly's and those of common
chat models. A window that the server does not name is assumed.
"""

import json
import re
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Event as Flag
from typing import Self

from rag_dolly.errors import ModelNotFound, QuestionTooLong, ServerFailed
from rag_dolly.generate.remote_http import Ended, Event, Patience, Refused, Server, one_line
from rag_dolly.generate.remote_limits import Counter, Counts, estimate, find_counter, find_window
from rag_dolly.generate.remote_request import STOP_TEXTS, as_sent, changed, further, request_body
from rag_dolly.prompt import FOREIGN_MARKS, chat_messages, render_dolly
from rag_dolly.types import Turn

_AT_ONCE = 8  # requests of a batch that are under way together
_TOO_LONG = re.compile(
    r"context (length|size|window)|maximum (context|model) length|exceed_context|too many tokens|prompt is too long",
    re.I,
)
_MANY = 12  # names of models that a message lists


class RemotePipeline:
    """A `Pipeline` over a model on a server. Open one with `RemotePipeline.open`; safe to share between threads."""

    def __init__(self, server: Server, model: str, kind: str) -> None:
        """`model` is as the server calls it; `kind` is "dolly", "chat" or "plain"."""
        self.name = model.rstrip("/").rsplit("/", 1)[-1] if model.startswith("/") else model
        self.window = 0
        self.format = kind
        self._server = server
        self._model = model
        self._counter: Counter | None = None
        self._counts = Counts()
        self._changes: Mapping[str, str] = {}  # fields that the server does not know: its name for them, or ""

    @classmethod
    def open(
        cls, address: str, *, served_model: str | None = None, offline: bool = False, patience: Patience | None = None
    ) -> Self:
        """Connect to a server and have it generate one token, so that what cannot work is known now.

        Without `served_model` the server's only model is taken. Raises `BadSetting` for an address that is none, or
        is on another machine when `offline`; `ModelNotFound`, which lists the models there are; `ServerFailed`.
        """
        server = Server(address, offline=offline, patience=patience)
        entry = _entry(server, served_model)
        model = str(entry["id"])
        opened = cls(server, model, "dolly" if "dolly" in model.rstrip("/").rsplit("/", 1)[-1].lower() else "chat")
        try:
            opened._try_out()
        except Refused as refusal:
            if refusal.status not in (400, 404, 422, 500):
                raise
            raise ModelNotFound(f"model {model} does not answer: {refusal}") from refusal
        opened.window = find_window(server, entry, model, opened.format == "dolly")
        opened._counter = find_counter(server, entry, model)
        return opened

    def describe(self) -> str:
        """Return one line: name, format, where it is, its window, and what leaves the machine."""
        counted = "counted by the server" if self._counter else "counts estimated"
        sent = "" if self._server.is_local else "; questions and passages are sent there"
        if not self._server.is_local and not self._server.is_encrypted:
            sent += " unencrypted"
        window = f"window {self.window} tokens, {counted}"
        return f"{self.name} ({self.format} format) at {self._server.base}, {window}{sent}"

    def render(self, question: str, passages: Sequence[str], history: Sequence[Turn] = ()) -> str:
        """Return the exact prompt; for a chat the JSON of its messages. See `Pipeline.render`."""
        if self.format != "chat":
            return render_dolly(question, passages, history, FOREIGN_MARKS)
        return json.dumps(chat_messages(question, passages, history, FOREIGN_MARKS), ensure_ascii=False)

    def count(self, prompt: str) -> int:
        """Return how many tokens the server sees for a prompt, or at least not fewer, if the server cannot count.

        Of an answer just given it is what the server said to have generated.
        """
        known = self._counts.get(prompt)
        if known is not None:
            return known
        sent = as_sent(self.format, prompt)
        found = self._counter(sent) if self._counter else None
        return self._counts.put(prompt, found or estimate(sent))

    def stream(self, prompt: str, max_tokens: int, stop: Ended) -> Iterator[str]:
        """Yield the answer in pieces; see `Pipeline.stream`. The server is asked at the first `next`.

        Raises `QuestionTooLong` at once if the prompt leaves no room for an answer, or later if the server says so;
        `ServerFailed` while running.
        """
        return self._pieces(prompt, min(max_tokens, self._room(prompt)), stop)

    def batch(self, prompts: Sequence[str], max_tokens: int) -> list[str]:
        """Return one answer for each prompt, eight under way at a time, for the server to decode together.

        Raises `QuestionTooLong` before any work if one prompt does not fit, and `ServerFailed`.
        """
        rooms = [min(max_tokens, self._room(prompt)) for prompt in prompts]
        failed = Flag()

        def answer(prompt: str, room: int) -> str:
            try:
                return "".join(self._pieces(prompt, room, failed.is_set))
            except BaseException:
                failed.set()
                raise

        with ThreadPoolExecutor(_AT_ONCE, "rag-dolly-batch") as pool:
            try:
                return list(pool.map(answer, prompts, rooms))
            finally:
                failed.set()  # nothing goes on without a reader

    def _try_out(self) -> None:
        """Ask for one token. A model that the server does not chat with is asked for plain completion then."""
        try:
            self._one_token()
        except Refused as refusal:
            if self.format == "dolly" or refusal.status not in (400, 404, 405, 422, 500, 501):
                raise
            self.format = "plain"
            try:
                self._one_token()
            except ServerFailed:
                raise refusal from None

    def _one_token(self) -> None:
        for _ in self._texts(self.render("Say yes.", ()), 1, lambda: False, _Usage()):
            pass

    def _pieces(self, prompt: str, max_tokens: int, stop: Ended) -> Iterator[str]:
        usage = _Usage()
        given: list[str] = []
        with closing(self._texts(prompt, max_tokens, stop, usage)) as texts:
            try:
                for piece in _tidied(texts, () if self.format == "chat" else STOP_TEXTS):
                    given.append(piece)
                    yield piece
            finally:
                self._counts.put("".join(given), usage.answer)

    def _texts(self, prompt: str, max_tokens: int, stop: Ended, usage: "_Usage") -> Generator[str, None, None]:
        """Yield the server's pieces of text, none of them empty, and count in `usage`."""
        is_chat = self.format == "chat"
        complete = False
        with closing(self._events(request_body(self.format, self._model, prompt, max_tokens), stop)) as events:
            for event in events:
                usage.note(event)
                for choice in event.get("choices") or ():
                    complete = complete or bool(choice.get("finish_reason"))
                    text = (choice.get("delta") or {}).get("content") if is_chat else choice.get("text")
                    if text:
                        usage.pieces += 1
                        yield str(text)
        if not complete and not stop():
            raise self._server.broke_off()

    def _events(self, body: Event, stop: Ended) -> Generator[Event, None, None]:
        """Yield the events of a stream; a server that does not know a field of the request is asked without it."""
        url = f"{self._server.base}/{'chat/completions' if self.format == 'chat' else 'completions'}"
        changes = self._changes
        while True:
            try:
                for event in self._server.events(url, changed(body, changes), stop):
                    self._changes = changes
                    yield event
                return
            except Refused as refusal:
                if _TOO_LONG.search(refusal.text):
                    raise QuestionTooLong(
                        f"{self.name} takes fewer tokens than this prompt and its answer have ({refusal.text}); ask a "
                        "shorter question or pass fewer passages"
                    ) from refusal
                more = further(changes, body, refusal)
                if more is None:
                    raise
                changes = more

    def _room(self, prompt: str) -> int:
        count = self.count(prompt)
        if count >= self.window:
            raise QuestionTooLong(
                f"the prompt has {count} tokens and {self.name} takes {self.window} with the answer; "
                "ask a shorter question or pass fewer passages"
            )
        return self.window - count


class _Usage:
    """How many tokens an answer had: as the server says, else as many as pieces came."""

    def __init__(self) -> None:
        self.pieces = 0
        self._said = 0

    def note(self, event: Event) -> None:
        said = (event.get("usage") or {}).get("completion_tokens")
        self._said = said if isinstance(said, int) else self._said

    @property
    def answer(self) -> int:
        return self._said or self.pieces


def _entry(server: Server, wanted: str | None) -> Event:
    """Return the model that is wanted as the server lists it. Raises `ModelNotFound`, which names what there is."""
    try:
        answer = server.ask(f"{server.base}/models")
    except Refused as refusal:
        if refusal.status not in (404, 405):
            raise
        answer = {}
    listed = answer.get("data") if isinstance(answer, dict) else None
    entries = [e for e in listed if isinstance(e, dict) and e.get("id")] if isinstance(listed, list) else []
    names = ", ".join(one_line(e["id"]) for e in entries[:_MANY]) + (", ..." if len(entries) > _MANY else "")
    if wanted is None:
        if len(entries) == 1:
            return entries[0]
        found = f"has several models ({names})" if entries else "lists no model; the address may be wrong, or else"
        raise ModelNotFound(f"model server {server.base} {found}: name one with --served-model")
    for entry in entries:
        if entry["id"] in (wanted, f"{wanted}:latest"):
            return entry
    if entries:
        raise ModelNotFound(f"model server {server.base} has no model {wanted}: it has {names}")
    return {"id": wanted}


def _tidied(texts: Iterable[str], stops: Sequence[str]) -> Iterator[str]:
    """Yield an answer up to the first stop text, without white space at its ends; what is doubtful is held back."""
    held, begun = "", False
    for text in texts:
        held += text.replace("\ufffd", "")
        cuts = [at for at in map(held.find, stops) if at >= 0]
        if cuts:
            held = held[: min(cuts)]
            break
        held = held if begun else held.lstrip()
        doubtful = max((n for stop in stops for n in range(1, len(stop)) if held.endswith(stop[:n])), default=0)
        certain = held[: len(held) - doubtful].rstrip()
        if certain:
            begun = True
            held = held[len(certain) :]
            yield certain
    last = held.rstrip() if begun else held.strip()
    if last:
        yield last

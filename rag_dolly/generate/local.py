"""A language model on this machine: Dolly, any chat model, or a plain base model.

Text on this side, tokens on the engine's: a prompt is rendered and encoded in the model's dialect, an engine decodes,
and a transcript makes text of the tokens. Decoding is greedy and always uses the key-value cache, whatever the
model's files say.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Self

from rag_dolly.errors import QuestionTooLong
from rag_dolly.generate.dialect import Dialect
from rag_dolly.generate.engine import Engine
from rag_dolly.generate.opening import open_model
from rag_dolly.types import Turn


class LocalPipeline:
    """A `Pipeline` over a model in this process. Make one with `LocalPipeline.load`."""

    def __init__(self, name: str, dialect: Dialect, engine: Engine, window: int) -> None:
        self.name = name
        self.window = window
        self.engine = engine
        self._dialect = dialect

    @classmethod
    def load(
        cls,
        name_or_dir: str,
        *,
        device: str | None = None,
        offline: bool = False,
        quantize: str = "auto",
        offload: bool = False,
        on_message: Callable[[str], None] = lambda _: None,
    ) -> Self:
        """Load a model from a directory or, by "owner/name", from the hub cache or the hub (unless `offline`).

        `quantize` (auto, none, 8bit, 4bit) and `offload` are as in the settings. Raises `ModelNotFound`, `OutOfMemory`,
        or `BadSetting` for a `device` or format that is not there.
        """
        return cls(*open_model(name_or_dir, device, offline, on_message, quantize=quantize, offload=offload))

    @property
    def format(self) -> str:
        """How prompts are written: "dolly", "chat" or "plain"."""
        return self._dialect.format

    def describe(self) -> str:
        """Return one line: name, format, parameters, number format, device, way of decoding."""
        return f"{self.name} ({self.format} format), {self.engine.describe()}"

    def render(self, question: str, passages: Sequence[str], history: Sequence[Turn] = ()) -> str:
        """Return the exact prompt; see `Pipeline.render`."""
        return self._dialect.render(question, passages, history)

    def count(self, prompt: str) -> int:
        """Return how many token ids the model gets for `prompt`."""
        return len(self._dialect.encode(prompt))

    def stream(self, prompt: str, max_tokens: int, stop: Callable[[], bool]) -> Iterator[str]:
        """Yield the answer in pieces; see `Pipeline.stream`. The model starts at the first `next`.

        Raises `QuestionTooLong` at once if the prompt leaves no room for an answer, `OutOfMemory` while running.
        """
        ids = self._dialect.encode(prompt)
        return self._pieces(ids, min(max_tokens, self._room(ids)), stop)

    def batch(self, prompts: Sequence[str], max_tokens: int) -> list[str]:
        """Return one answer for each prompt, decoded together.

        Raises `QuestionTooLong` before any work if one prompt does not fit, and `OutOfMemory`.
        """
        encoded = [self._dialect.encode(prompt) for prompt in prompts]
        limits = [min(max_tokens, self._room(ids)) for ids in encoded]
        return [self._text(tokens) for tokens in self.engine.batch(encoded, limits)]

    def _pieces(self, ids: list[int], max_tokens: int, stop: Callable[[], bool]) -> Iterator[str]:
        transcript = self._dialect.transcript()
        with closing(self.engine.tokens(ids, max_tokens, stop)) as tokens:  # type: ignore[type-var]
            for token in tokens:
                if piece := transcript.push(token):
                    yield piece
                if transcript.finished:
                    return
        if piece := transcript.close():
            yield piece

    def _text(self, tokens: Sequence[int]) -> str:
        transcript = self._dialect.transcript()
        return "".join([*map(transcript.push, tokens), transcript.close()])

    def _room(self, ids: list[int]) -> int:
        room = self.window - len(ids)
        if room < 1:
            raise QuestionTooLong(
                f"the prompt has {len(ids)} tokens and {self.name} takes {self.window} with the answer; "
                "ask a shorter question or pass fewer passages"
            )
        return room

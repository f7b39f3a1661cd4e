"""Records to token ids: a prompt, and the response that the model shall learn to give after it.

The prompt ends where an answer begins when the model is asked, and the response ends with the token that ends an
answer: `### End` in Dolly's format, the template's own end of turn for a chat model. So what is learned is what is used
later, and the loss is taken on the response alone. Prompts are rendered by `rag_dolly.prompt` and the model's
`Dialect`; no text of a record can become a control token.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rag_dolly.errors import RagDollyError
from rag_dolly.finetune.records import Record
from rag_dolly.prompt import RESPONSE_KEY, render_training, sanitise

if TYPE_CHECKING:
    from rag_dolly.generate.dialect import Dialect

_SENTINEL = "rag-dolly-answer"


@dataclass(frozen=True, slots=True)
class Example:
    """Token ids of a prompt and of the response after it, and the response as text."""

    prompt: list[int]
    response: list[int]
    answer: str

    @property
    def length(self) -> int:
        """How many tokens both have."""
        return len(self.prompt) + len(self.response)


class Speaker:
    """Writes examples in a model's language: its tokenizer, its dialect, and how an answer ends in it."""

    def __init__(self, tokenizer: Any, dialect: "Dialect") -> None:
        self.tokenizer = tokenizer
        self.dialect = dialect
        self._response_id = response_id(tokenizer) if dialect.format == "dolly" else None
        self._end = [] if dialect.format == "dolly" else [end_of_turn(tokenizer)]

    def example(self, record: Record) -> Example:
        """Return the example of a record: Dolly's own prompt, or the chat template with the context as "Input:"."""
        guarded = self.dialect.control_tokens
        if self._response_id is not None:
            text = render_training(record.instruction, record.context, record.response, guarded)
            return self._split(text, record.response)
        asked, context = (sanitise(text, guarded).strip() for text in (record.instruction, record.context))
        content = f"{asked}\n\nInput:\n{context}" if context else asked
        prompt = str(
            self.tokenizer.apply_chat_template(
                [{"role": "user", "content": content}],
                tokenize=False,
                add_generation_prompt=True,
                enable_thinking=False,
            )
        )
        return self.after(prompt, record.response)

    def after(self, prompt: str, answer: str) -> Example:
        """Return the example of a rendered prompt and its answer."""
        clean = sanitise(answer, self.dialect.control_tokens).strip()
        if self._response_id is not None:
            return self._split(f"{prompt}{clean}\n\n### End", answer)
        response = [*self.tokenizer.encode(clean, add_special_tokens=False, verbose=False), *self._end]
        return Example(self.dialect.encode(prompt), response, clean)

    def _split(self, text: str, answer: str) -> Example:
        """Encode a whole Dolly record and part it behind the response token. No text in it can have another."""
        ids = self.dialect.encode(text)
        place = ids.index(self._response_id) + 1 if self._response_id in ids else 0
        if not place:
            raise RagDollyError(f"The tokenizer does not give {RESPONSE_KEY!r} as one token: use another --base.")
        return Example(ids[:place], ids[place:], answer.strip())


def within(examples: Sequence[Example], window: int) -> tuple[list[Example], int]:
    """Return the examples shorter than the window, and how many were dropped. None is cut, as in Dolly's recipe."""
    kept = [example for example in examples if example.length < window]
    return kept, len(examples) - len(kept)


def response_id(tokenizer: Any) -> int | None:
    """Return the id of the token that ends Dolly's prompts, with its newline or without."""
    for number, token in tokenizer.added_tokens_decoder.items():
        if str(token).strip() == RESPONSE_KEY:
            return int(number)
    return None


def end_of_turn(tokenizer: Any) -> int:
    """Return the id of the token that a chat template puts after an answer, else the one that ends a text."""
    turns = [{"role": "user", "content": "?"}, {"role": "assistant", "content": _SENTINEL}]
    tail = str(tokenizer.apply_chat_template(turns, tokenize=False)).rpartition(_SENTINEL)[2]
    special = {number for number, token in tokenizer.added_tokens_decoder.items() if token.special}
    ids = tokenizer.encode(tail, add_special_tokens=False)
    found = next((number for number in ids if number in special), tokenizer.eos_token_id)
    if found is None:
        raise RagDollyError("The tokenizer has no token that ends an answer: use another --base.")
    return int(found)

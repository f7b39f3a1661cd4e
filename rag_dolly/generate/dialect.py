"""How one model is spoken to: its prompt format, the ids that end an answer, and what may never come from a text.

A model is Dolly if its tokenizer has Dolly's keys as tokens; it then gets Dolly's format and stops at "### End".
Else its chat template is used; a model with neither gets Dolly's format as plain text, and "### End" ends the answer
as text.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from rag_dolly.generate.transcript import Transcript
from rag_dolly.prompt import (
    DOLLY_KEYS,
    END_KEY,
    INSTRUCTION_KEY,
    RESPONSE_KEY,
    TURN_MARKS,
    chat_messages,
    render_dolly,
)
from rag_dolly.types import Turn

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class Dialect:
    """The language of one tokenizer. `format` is "dolly", "chat" or "plain"; `stop_ids` end an answer."""

    def __init__(self, tokenizer: "PreTrainedTokenizerBase", eos_ids: Iterable[int] = ()) -> None:
        self._tokenizer = tokenizer
        special = {str(token): i for i, token in tokenizer.added_tokens_decoder.items() if _is_control(token)}
        self._control_tokens = frozenset(special) | frozenset(tokenizer.all_special_tokens)
        self.format = _format(special, tokenizer)
        self._stop_texts = () if self.format == "chat" else DOLLY_KEYS
        self.stop_ids = _stop_ids(self.format, special, [*_ids(tokenizer.eos_token_id), *eos_ids])

    @property
    def control_tokens(self) -> frozenset[str]:
        """What steers the model and may therefore never come from a text."""
        return self._control_tokens

    def render(self, question: str, passages: Sequence[str], history: Sequence[Turn] = ()) -> str:
        """Return the exact prompt; see `Pipeline.render`."""
        if self.format != "chat":
            return render_dolly(question, passages, history, self._control_tokens)
        messages = chat_messages(question, passages, history, self._control_tokens)
        return _apply_template(self._tokenizer, messages)

    def encode(self, prompt: str) -> list[int]:
        """Return the token ids of a rendered prompt."""
        return list(self._tokenizer.encode(prompt, add_special_tokens=self.format != "chat", verbose=False))

    def transcript(self) -> Transcript:
        """Return a fresh transcript for one answer."""

        def decode(ids: list[int]) -> str:
            text = self._tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
            return str(text)

        return Transcript(decode, self.stop_ids, self._stop_texts)


def eos_ids(*configs: dict[str, Any]) -> list[int]:
    """Return the ids that config.json and generation_config.json say end a text."""
    return [i for config in configs for i in _ids(config.get("eos_token_id"))]


def _ids(value: Any) -> list[int]:
    return [i for i in (value if isinstance(value, list) else [value]) if isinstance(i, int)]


def _format(special: dict[str, int], tokenizer: "PreTrainedTokenizerBase") -> str:
    names = {token.strip() for token in special}
    if {INSTRUCTION_KEY, RESPONSE_KEY, END_KEY} <= names:
        return "dolly"
    return "chat" if tokenizer.chat_template else "plain"


def _stop_ids(kind: str, special: dict[str, int], eos: Iterable[int]) -> frozenset[int]:
    """Return the ids that end an answer: the model's own, and those that begin another turn."""
    stops = {special[token] for token in special if kind == "dolly" and token.strip() in DOLLY_KEYS}
    stops |= {special[mark] for mark in TURN_MARKS if mark in special}
    return frozenset(stops | set(eos) or {0})


def _is_control(token: Any) -> bool:
    """Tell whether an added token steers the model: special, or written like a mark (<think>, [INST])."""
    text = str(token).strip()
    return bool(text) and (token.special or (text[0] + text[-1] in ("<>", "[]") and len(text) > 2))


def _apply_template(tokenizer: "PreTrainedTokenizerBase", messages: list[dict[str, str]]) -> str:
    """Render by the model's template; a template that refuses a system message gets it with the first question."""
    from jinja2 import TemplateError

    options: dict[str, Any] = {"tokenize": False, "add_generation_prompt": True, "enable_thinking": False}
    try:
        return str(tokenizer.apply_chat_template(messages, **options))
    except TemplateError:
        system, first, *rest = messages
        merged = {"role": "user", "content": f"{system['content']}\n\n{first['content']}"}
        return str(tokenizer.apply_chat_template([merged, *rest], **options))

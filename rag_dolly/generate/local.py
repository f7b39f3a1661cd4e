"""A language model on this machine, through transformers: Dolly, any chat model, or a plain base model.

A model is Dolly if its tokenizer has Dolly's keys as tokens; it then gets Dolly's format and stops at "### End".
Else its chat template is used; a model with neither gets Dolly's format as plain text. Decoding is greedy and always
uses the key-value cache, whatever the model's files say. One model answers one caller at a time, first come first
served. In float32 `batch` equals `stream` exactly; in half precision two nearly equal tokens may swap.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Self

from rag_dolly.errors import QuestionTooLong
from rag_dolly.generate.checkpoint import display_name, load_tokenizer, load_weights, locate, out_of_memory
from rag_dolly.generate.device import choose
from rag_dolly.generate.transcript import Transcript
from rag_dolly.prompt import DOLLY_KEYS, END_KEY, INSTRUCTION_KEY, RESPONSE_KEY, chat_messages, render_dolly
from rag_dolly.types import Turn

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_BATCH = 8  # prompts decoded together
_TURN_MARKS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|eot_id|>", "<end_of_turn>", "<|end|>", "</s>")


class LocalPipeline:
    """A `Pipeline` over a model in this process. Make one with `LocalPipeline.load`."""

    def __init__(self, name: str, model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase") -> None:
        self.name = name
        self.window = _window(model.config)
        self._model = model
        self._tokenizer = tokenizer
        self._line = _Line()
        special = {str(token): i for i, token in tokenizer.added_tokens_decoder.items() if _is_control(token)}
        self._control_tokens = frozenset(special) | frozenset(tokenizer.all_special_tokens)
        self.format = _format(special, tokenizer)
        self._stop_texts = () if self.format == "chat" else DOLLY_KEYS
        self._stop_ids = _stop_ids(self.format, special, model, tokenizer)
        self._settle_generation()

    @classmethod
    def load(cls, name_or_dir: str, *, device: str | None = None, offline: bool = False) -> Self:
        """Load a model from a directory or, by "owner/name", from the hub cache or the hub (unless `offline`).

        Raises `ModelNotFound`, `OutOfMemory`, or `BadSetting` for a `device` that is not there.
        """
        directory = locate(name_or_dir, offline)
        tokenizer = load_tokenizer(directory)
        model = load_weights(directory, choose(device))
        is_local = Path(name_or_dir).expanduser() == directory
        return cls(display_name(directory) if is_local else name_or_dir, model, tokenizer)

    def describe(self) -> str:
        """Return one line: name, format, parameters, dtype, device."""
        count = sum(weight.numel() for weight in self._model.parameters())
        size = f"{count / 1e9:.1f} B" if count >= 1e9 else f"{count / 1e6:.1f} M"
        dtype = str(self._model.dtype).removeprefix("torch.")
        return f"{self.name} ({self.format} format), {size} parameters, {dtype}, {self._model.device}"

    def render(self, question: str, passages: Sequence[str], history: Sequence[Turn] = ()) -> str:
        """Return the exact prompt; see `Pipeline.render`."""
        if self.format != "chat":
            return render_dolly(question, passages, history, self._control_tokens)
        messages = chat_messages(question, passages, history, self._control_tokens)
        return _apply_template(self._tokenizer, messages)

    def count(self, prompt: str) -> int:
        """Return how many token ids the model gets for `prompt`."""
        return len(self._encode(prompt))

    def stream(self, prompt: str, max_tokens: int, stop: Callable[[], bool]) -> Iterator[str]:
        """Yield the answer in pieces; see `Pipeline.stream`. The model starts at the first `next`.

        Raises `QuestionTooLong` at once if the prompt leaves no room for an answer, `OutOfMemory` while running.
        """
        ids = self._encode(prompt)
        return self._pieces(ids, min(max_tokens, self._room(ids)), stop)

    def batch(self, prompts: Sequence[str], max_tokens: int) -> list[str]:
        """Return one answer for each prompt, decoded up to eight at a time.

        Raises `QuestionTooLong` before any work if one prompt does not fit, and `OutOfMemory`.
        """
        encoded = [self._encode(prompt) for prompt in prompts]
        rooms = [self._room(ids) for ids in encoded]
        answers = [""] * len(prompts)
        with self._line.turn(lambda: False):
            for group in _groups([len(ids) for ids in encoded], rooms, max_tokens):
                watch = _Watch([self._transcript() for _ in group])
                self._generate([encoded[i] for i in group], min(max_tokens, rooms[group[0]]), watch)
                for i, text in zip(group, watch.texts, strict=True):
                    answers[i] = text
        return answers

    def _pieces(self, ids: list[int], max_tokens: int, stop: Callable[[], bool]) -> Iterator[str]:
        inbox: SimpleQueue[str | BaseException | None] = SimpleQueue()
        closed = threading.Event()

        def ended() -> bool:  # also when the program exits with the iterator left open
            return closed.is_set() or not threading.main_thread().is_alive() or stop()

        def work() -> None:
            try:
                with self._line.turn(ended) as admitted:
                    if admitted:
                        self._generate([ids], max_tokens, _Watch([self._transcript()], inbox.put, ended))
                inbox.put(None)
            except BaseException as error:
                inbox.put(error)

        worker = threading.Thread(target=work, name="rag-dolly-generate")
        worker.start()
        try:
            while (item := inbox.get()) is not None:
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            closed.set()
            worker.join()

    def _generate(self, rows: list[list[int]], max_tokens: int, watch: "_Watch") -> None:
        """Decode `rows` together, left-padded; `watch` sees every token."""
        import torch

        if max_tokens < 1:
            return
        width = max(map(len, rows))
        pad = self._model.generation_config.pad_token_id
        ids = torch.tensor([[pad] * (width - len(row)) + row for row in rows], device=self._model.device)
        mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows], device=self._model.device)
        model: Any = self._model
        try:
            model.generate(
                input_ids=ids,
                attention_mask=mask,
                max_new_tokens=max_tokens,
                do_sample=False,
                use_cache=True,
                stopping_criteria=[watch],
            )
        except torch.OutOfMemoryError as error:
            torch.cuda.empty_cache()
            raise out_of_memory(self.name) from error
        watch.close()

    def _settle_generation(self) -> None:
        """Replace what the model's files say about decoding (sampling, lengths, no cache) by plain greedy decoding."""
        import transformers

        config: Any = transformers.GenerationConfig
        pad = self._tokenizer.pad_token_id
        self._model.config.use_cache = True
        self._model.generation_config = config(
            do_sample=False,
            use_cache=True,
            eos_token_id=sorted(self._stop_ids),
            pad_token_id=pad if isinstance(pad, int) else min(self._stop_ids),
            bos_token_id=self._tokenizer.bos_token_id,
        )

    def _encode(self, prompt: str) -> list[int]:
        ids = self._tokenizer.encode(prompt, add_special_tokens=self.format != "chat", verbose=False)
        return list(ids)

    def _room(self, ids: list[int]) -> int:
        room = self.window - len(ids)
        if room < 1:
            raise QuestionTooLong(
                f"the prompt has {len(ids)} tokens and {self.name} takes {self.window} with the answer; "
                "ask a shorter question or pass fewer passages"
            )
        return room

    def _transcript(self) -> Transcript:
        def decode(ids: list[int]) -> str:
            text = self._tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
            return str(text)

        return Transcript(decode, self._stop_ids, self._stop_texts)


class _Watch:
    """What generate asks after each token whether to stop; on the way it turns tokens into text."""

    def __init__(
        self,
        transcripts: list[Transcript],
        emit: Callable[[str], None] | None = None,
        ended: Callable[[], bool] = lambda: False,
    ) -> None:
        self.texts = [""] * len(transcripts)
        self._transcripts = transcripts
        self._emit = emit
        self._ended = ended

    def __call__(self, input_ids: "torch.Tensor", scores: Any, **_: Any) -> "torch.Tensor":
        import torch

        for row, token in enumerate(input_ids[:, -1].tolist()):
            self._add(row, self._transcripts[row].push(token))
        ended = self._ended()
        return torch.tensor([ended or t.finished for t in self._transcripts], device=input_ids.device)

    def close(self) -> None:
        for row, transcript in enumerate(self._transcripts):
            self._add(row, transcript.close())

    def _add(self, row: int, piece: str) -> None:
        self.texts[row] += piece
        if piece and self._emit is not None:
            self._emit(piece)


class _Line:
    """Callers wait here for the model, first come first served; a caller may leave before its turn."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Event] = deque()

    @contextmanager
    def turn(self, ended: Callable[[], bool]) -> Iterator[bool]:
        """Wait for one's turn, and yield True; yield False if `ended` turned true while waiting."""
        ticket = threading.Event()
        with self._guard:
            self._waiting.append(ticket)
            self._waiting[0].set()
        try:
            while not ticket.wait(0.05) and not ended():
                pass
            yield ticket.is_set()
        finally:
            with self._guard:
                self._waiting.remove(ticket)
                if self._waiting:
                    self._waiting[0].set()


def _format(special: dict[str, int], tokenizer: "PreTrainedTokenizerBase") -> str:
    names = {token.strip() for token in special}
    if {INSTRUCTION_KEY, RESPONSE_KEY, END_KEY} <= names:
        return "dolly"
    return "chat" if tokenizer.chat_template else "plain"


def _stop_ids(
    kind: str, special: dict[str, int], model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase"
) -> frozenset[int]:
    """Return the ids that end an answer: the model's own, and those that begin another turn."""
    stops = {special[token] for token in special if kind == "dolly" and token.strip() in DOLLY_KEYS}
    stops |= {special[mark] for mark in _TURN_MARKS if mark in special}
    for eos in (tokenizer.eos_token_id, model.config.eos_token_id, model.generation_config.eos_token_id):
        stops |= {i for i in (eos if isinstance(eos, list) else [eos]) if isinstance(i, int)}
    return frozenset(stops or {0})


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


def _window(config: Any) -> int:
    length = getattr(config.get_text_config(), "max_position_embeddings", None)
    return length if isinstance(length, int) and length > 0 else 2048


def _groups(lengths: list[int], rooms: list[int], max_tokens: int) -> Iterator[list[int]]:
    """Yield indices to decode together: of similar length; a prompt that cannot have all `max_tokens`, alone."""
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    roomy = [i for i in order if rooms[i] >= max_tokens]
    yield from (roomy[at : at + _BATCH] for at in range(0, len(roomy), _BATCH))
    yield from ([i] for i in order if rooms[i] < max_tokens)

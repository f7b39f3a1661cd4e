"""One pass of the model over a static cache, with nothing left to Python: tokens in, next tokens out, on the device.

A pass of fixed width reads its tokens, writes their keys and values into the cache, takes the likeliest next tokens
and moves the position on. All it reads and writes are tensors that stay where they are. So the next pass can be
started before the result of the last is known; results are copied to the processor as they are made, and waited for
only when they are asked for. On CUDA a pass is compiled (inductor), captured in a CUDA graph and replayed.

The graph is captured here and not by torch's mode "reduce-overhead": a replay then costs neither guards nor
bookkeeping (hundreds of guards a call for 32 layers, at 1.1 ms a token), nothing falls back in silence to plain
launches because an input is written to, and no output lives in a pool that the next replay overwrites.

Attention reads the cache up to a fixed length: 2,048, 8,192, ... or the window, the smallest that holds the position
(positions beyond the present one are masked, so what an earlier prompt left there is never seen). Below 2,048 there
are no shorter ones: for Dolly 3b all 2,048 positions are 11 % of what a token reads, a prompt with passages fills
most of them, and each length costs two compilations.

Runs under no_grad, not inference_mode: its tensors would be refused where they are written to outside of it.
Imports torch and transformers: import this file in the function that needs it.
"""

import operator
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from transformers.cache_utils import Cache, StaticLayer

if TYPE_CHECKING:
    from transformers import PreTrainedModel

WIDTH = 8  # tokens in a checking pass: the last one and seven guesses
_CHUNK = 2048  # tokens of a prompt read at once; bounds the memory for it
_SHORTEST = 2048  # cache positions
_SLOTS = 4  # results that may wait to be read
Ticket = tuple[int, int]
"""A result under way: where it will be, and how many tokens it has."""


@dataclass(slots=True)
class _Place:
    """Where the layers write and how far they read: the first new position (on the device), positions in sight."""

    start: torch.Tensor
    span: int


class _Layer(StaticLayer):  # type: ignore[no-untyped-call]  # its __init_subclass__ is
    """A layer's keys and values for the whole window; all layers share one position, which the pass itself moves."""

    def __init__(self, window: int, place: _Place) -> None:
        super().__init__(max_cache_len=window)
        self._place = place

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        keys: Any = self.keys
        values: Any = self.values
        where = self._place.start + torch.arange(key_states.shape[-2], device=key_states.device)
        keys.index_copy_(2, where, key_states)
        values.index_copy_(2, where, value_states)
        return keys[:, :, : self._place.span], values[:, :, : self._place.span]

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self._place.span, 0

    def get_seq_length(self) -> Any:
        return self._place.start


class _Outbox:
    """Results on their way to the processor, without making it wait."""

    def __init__(self, device: torch.device) -> None:
        self._pinned = device.type == "cuda"
        self._cells = [torch.zeros(WIDTH, dtype=torch.long, pin_memory=self._pinned) for _ in range(_SLOTS)]
        event: Any = torch.cuda.Event
        self._events = [event() for _ in range(_SLOTS)] if self._pinned else []
        self._sent = 0

    def send(self, tokens: torch.Tensor) -> Ticket:
        slot = self._sent % _SLOTS
        self._sent += 1
        self._cells[slot][: len(tokens)].copy_(tokens, non_blocking=self._pinned)
        if self._pinned:
            self._events[slot].record(torch.cuda.current_stream(tokens.device))
        return slot, len(tokens)

    def read(self, ticket: Ticket) -> list[int]:
        slot, count = ticket
        if self._pinned:
            self._events[slot].synchronize()
        return [int(token) for token in self._cells[slot][:count].tolist()]


class DecodeStep:
    """The cache, the state on the device, and the passes over it. Positions are counted from 0.

    Every result is a ticket for `read`; at most four may be out. Raises torch's errors, of memory and of compilation.
    """

    def __init__(self, model: "PreTrainedModel", window: int, compiled: bool) -> None:
        self._model: Any = model
        self._device = model.device
        self._window = window
        self._spans = [*_lengths(window), window]
        self._place = _Place(torch.zeros((), dtype=torch.long, device=self._device), window)
        layers = model.config.get_text_config(decoder=True).num_hidden_layers
        self._cache = Cache(layers=[_Layer(window, self._place) for _ in range(layers)])
        self._inputs = {width: self._zeros(1, width) for width in (1, WIDTH)}  # the one of width 1 is the next token
        self._best = {width: self._zeros(width) for width in (1, WIDTH)}
        self._outbox = _Outbox(self._device)
        self._guess = torch.zeros((1, WIDTH), dtype=torch.long, pin_memory=self._on_cuda)
        self._compiled = compiled
        self._pass = self._advance
        if compiled:
            self._pass = torch.compile(self._advance, backend=_inductor, fullgraph=True, dynamic=False)
        self._ready: dict[tuple[int, int], Callable[[], None]] = {}
        stream: Any = torch.cuda.Stream
        self._stream: Any = stream(self._device) if self._on_cuda else None
        self._pool = torch.cuda.graph_pool_handle() if self._on_cuda else None

    @property
    def _on_cuda(self) -> bool:
        return bool(self._device.type == "cuda")

    @torch.no_grad()
    def prefill(self, tokens: Sequence[int], start: int) -> Ticket:
        """Read `tokens` at positions `start`, ...; the cache is right before them. The result is the next token."""
        ids = torch.tensor([list(tokens)], device=self._device)
        for at in range(0, len(tokens), _CHUNK):
            piece = ids[:, at : at + _CHUNK]
            self._place.start.fill_(start + at)
            self._place.span = start + at + piece.shape[1]
            best = self._logits(piece, logits_to_keep=1).argmax(-1)
        self._place.start.fill_(start + len(tokens))
        self._inputs[1].copy_(best.unsqueeze(0))
        return self._outbox.send(best)

    @torch.no_grad()
    def step(self, at: int) -> Ticket:
        """Read the token that the last pass found, at position `at`, where it left off. The result is the next one."""
        return self._outbox.send(self._launch(1, at))

    @torch.no_grad()
    def check(self, at: int, tokens: Sequence[int]) -> Ticket:
        """Read the last token, at position `at`, and at most seven guesses after it; `at` + 8 is within the window.

        The result is what follows each of the eight tokens. The position moves on past the guesses that were right.
        """
        padded = [*tokens, *[0] * (WIDTH - len(tokens))]
        self._guess.copy_(torch.tensor([padded]))
        self._inputs[WIDTH].copy_(self._guess, non_blocking=self._on_cuda)
        return self._outbox.send(self._launch(WIDTH, at))

    def read(self, ticket: Ticket) -> list[int]:
        """Wait for a result."""
        return self._outbox.read(ticket)

    def warm(self, checking: bool) -> float:
        """Make the passes ready, and return how many plain passes a checking pass costs (0 where there are none).

        The cache is empty then.
        """
        self.read(self.prefill([0], 0))
        plain = self._seconds(1)
        return self._seconds(WIDTH) / plain if checking and self._window >= WIDTH else 0.0

    @torch.no_grad()
    def _seconds(self, width: int) -> float:
        for span in self._spans:
            self._place.start.fill_(span - width)
            self._launch(width, span - width)
        taken = []
        for _ in range(5):
            begun = perf_counter()
            self._place.start.zero_()
            self.read(self._outbox.send(self._launch(width, 0)))
            taken.append(perf_counter() - begun)
        return min(taken)

    def _launch(self, width: int, at: int) -> torch.Tensor:
        self._place.span = span = next(length for length in self._spans if length >= at + width)
        if (width, span) not in self._ready:
            self._ready[width, span] = self._captured(width) if self._on_cuda else partial(self._run, width)
        self._ready[width, span]()
        return self._best[width]

    def _run(self, width: int) -> None:
        with torch._dynamo.config.patch(recompile_limit=64), self._attention(width):
            self._pass(self._inputs[width], self._best[width])

    def _attention(self, width: int) -> AbstractContextManager[Any]:
        """One query over the cache: plain products, which inductor splits over the whole GPU; else torch's choice.

        The fused kernel that takes a mask has one block a head: 32 of an H200's 132 multiprocessors would work.
        """
        plain = self._on_cuda and self._compiled and width == 1
        return sdpa_kernel(SDPBackend.MATH) if plain else nullcontext()

    def _captured(self, width: int) -> Callable[[], None]:
        """Run a pass until it is compiled and tuned, capture it, and return its replay; the state is as before."""
        state = [self._place.start, self._inputs[1]]
        saved = [tensor.clone() for tensor in state]
        main, side = torch.cuda.current_stream(self._device), self._stream
        with torch.cuda.device(self._device):
            side.wait_stream(main)
            with torch.cuda.stream(side):
                for _ in range(3):
                    self._run(width)
                    for tensor, value in zip(state, saved, strict=True):
                        tensor.copy_(value)
            main.wait_stream(side)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, pool=self._pool, stream=side, capture_error_mode="thread_local"):
                self._run(width)
        return graph.replay

    def _advance(self, tokens: torch.Tensor, best: torch.Tensor) -> None:
        """The pass: `tokens` is 1 x width; `best` (width) and the state are written in place."""
        found = self._logits(tokens).argmax(-1)
        if tokens.shape[1] > 1:
            right = (found[:-1] == tokens[0, 1:]).long().cumprod(0).sum()
            following = found.index_select(0, right.unsqueeze(0))
            self._place.start.add_(right + 1)
        else:
            following = found
            self._place.start.add_(1)
        best.copy_(found)
        self._inputs[1].copy_(following.unsqueeze(0))

    def _logits(self, tokens: torch.Tensor, **options: Any) -> torch.Tensor:
        """Return the logits, tokens x vocabulary, of `tokens` at the present position."""
        positions = self._place.start + torch.arange(tokens.shape[1], device=self._device)
        output = self._model(
            input_ids=tokens,
            position_ids=positions.unsqueeze(0),
            past_key_values=self._cache,
            use_cache=True,
            **options,
        )
        logits: torch.Tensor = output.logits[0]
        return logits

    def _zeros(self, *shape: int) -> torch.Tensor:
        return torch.zeros(shape, dtype=torch.long, device=self._device)


def _lengths(window: int) -> list[int]:
    """Return the lengths of cache, below `window`, for which passes are made: 2,048, 8,192, 32,768, ..."""
    lengths = []
    length = _SHORTEST
    while length < window:
        lengths.append(length)
        length *= 4
    return lengths


def _inductor(module: torch.fx.GraphModule, inputs: Any) -> Any:
    """Compile for one token at a time, by what inductor's own decompositions say of it: it writes the kernels that read
    a matrix at the full speed of the memory only for products without a bias, and only with coordinate descent tuning.
    So biases (each of GPT-NeoX's products has one) are added apart.
    """
    from torch._inductor.compile_fx import compile_fx

    for node in list(module.graph.nodes):
        if node.target is torch.nn.functional.linear and len(node.args) == 3 and node.args[2] is not None:
            *operands, bias = node.args
            with module.graph.inserting_after(node):
                total = module.graph.call_function(operator.add, (node, bias))
            total.meta = dict(node.meta)
            node.replace_all_uses_with(total, delete_user_cb=lambda user, total=total: user is not total)
            node.args = tuple(operands)
    module.recompile()
    return compile_fx(module, inputs, config_patches={"coordinate_descent_tuning": True})

"""Reading: where in passages the words stand that answer a question, and how sure that is.

The reader is a BERT like the embedder, with the weights of weights.py and a head of two numbers per token; it runs as
the embedder does, in OpenVINO or else in numpy. It was trained on English; of a text in scripts that the base does not
know it says nothing.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest.bert import BertEncoder
from ingest.bert_openvino import BertEngine
from ingest.bert_openvino import load as load_engine
from ingest.loaded_once import loaded_once
from ingest.weights import bundled_folder
from rag_dolly.reader import weights
from rag_dolly.reader.pairs import Pair, Text, tokens_of, windows
from rag_dolly.reader.spans import best_span
from rag_dolly.types import Reading

Array = NDArray[np.float32]
Ranges = Sequence[tuple[int, int]]


class SpanReader:
    """A `Reader`; safe to share between threads. Raises `ModelNotFound` when it is made."""

    def __init__(self, folder: Path | None = None) -> None:
        from tokenizers import Tokenizer

        base = bundled_folder()
        self.tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        encoder = BertEncoder.load(base, self.tokenizer)
        assert encoder is not None  # the bundled model is a plain BERT
        encoder.tensors = weights.load(folder or weights.shipped(), encoder.tensors)
        self._encoder = encoder

    def read(self, question: str, texts: Sequence[str], ranges: Sequence[Ranges]) -> list[list[Reading]]:
        """Return for each text, for each of its character ranges, the best answer within the range.

        A range that holds no token has the score -inf.
        """
        asked = tokens_of(self.tokenizer, question).ids
        read = [tokens_of(self.tokenizer, text) for text in texts]
        pairs = [(n, made) for n, text in enumerate(read) for made in windows(asked, text.ids) if text.ids]
        logits = self.logits([made for _, made in pairs])
        found = [[Reading(start, start, -np.inf) for start, _ in wanted] for wanted in ranges]
        for (n, made), numbers in zip(pairs, logits, strict=True):
            for place, wanted in enumerate(ranges[n]):
                answer = _within(read[n], made, numbers, wanted)
                if answer and answer.score > found[n][place].score:
                    found[n][place] = answer
        return found

    def logits(self, pairs: Sequence[Pair]) -> list[Array]:
        """Return two numbers for each token of each pair: (tokens, 2)."""
        states = self._run([made.ids for made in pairs])
        head, bias = self._encoder.tensors["head.weight"], self._encoder.tensors["head.bias"]
        return [rows @ head.T + bias for rows in states]

    def _run(self, ids: list[list[int]]) -> list[Array]:
        if not ids:
            return []
        return self._engine.states(ids) if self._engine else self._encoder.states(ids)

    @loaded_once
    def _engine(self) -> BertEngine | None:
        return load_engine(self._encoder)


def _within(text: Text, made: Pair, logits: Array, wanted: tuple[int, int]) -> Reading | None:
    """Return the best answer within a character range, as far as it stands in this window."""
    last = made.first + made.end - made.begin
    inside = [n for n in range(made.first, last) if wanted[0] <= text.spans[n][0] and text.spans[n][1] <= wanted[1]]
    if not inside:
        return None
    shift = made.begin - made.first
    span = best_span(logits, inside[0] + shift, inside[-1] + 1 + shift)
    return Reading(text.spans[span.first - shift][0], text.spans[span.last - shift][1], span.score)

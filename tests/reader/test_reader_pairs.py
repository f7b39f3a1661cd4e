"""Questions and passages as tokens, windows over long passages, and spans from the reader's numbers."""

import random
from itertools import pairwise

import numpy as np
import pytest
from tokenizers import Tokenizer

from ingest.weights import bundled_folder
from rag_dolly.finetune.reader.examples import BATCH, batches, examples_of
from rag_dolly.finetune.reader.records import Record
from rag_dolly.reader.pairs import CLS, QUESTION_TOKENS, SEP, WINDOW, pair, tokens_of, windows
from rag_dolly.reader.spans import best_span


@pytest.fixture(scope="module")
def tokenizer():
    made = Tokenizer.from_file(str(bundled_folder() / "tokenizer.json"))
    made.no_truncation()
    made.no_padding()
    return made


def text_of(tokenizer, example, context):
    spans = tokens_of(tokenizer, context).spans
    shift = example.pair.first - example.pair.begin
    return {
        context[spans[a + shift][0] : spans[b + shift][1]] for a, b in zip(example.starts, example.ends, strict=True)
    }


def test_a_pair_is_question_and_passage_between_the_marks():
    made = pair([7, 8], [1, 2, 3])
    assert made.ids == [CLS, 7, 8, SEP, 1, 2, 3, SEP]
    assert made.ids[made.begin : made.end] == [1, 2, 3]


def test_windows_cover_a_long_passage_and_overlap():
    passage = list(range(1000, 2000))
    seen = [made.ids[made.begin : made.end] for made in windows([7] * 500, passage)]
    assert set().union(*seen) == set(passage)
    assert all(len(made.ids) <= WINDOW for made in windows([7] * 500, passage))
    assert all(set(one) & set(other) for one, other in pairwise(seen))
    (only,) = windows([7] * 500, [1, 2])
    assert only.begin == QUESTION_TOKENS + 2


def test_every_place_of_an_answer_is_marked(tokenizer):
    context = "In 1906 it shook. Fires followed the quake of 1906, says a report."
    (example,) = examples_of([Record("When?", context, ("1906",), "")], tokenizer, random.Random(0))
    assert len(example.starts) == len(example.ends) == 2
    assert text_of(tokenizer, example, context) == {"1906"}


def test_a_window_of_a_long_passage_holds_an_answer(tokenizer):
    context = "word " * 900 + "the answer is Ada Lovelace " + "word " * 900
    for seed in range(20):
        (example,) = examples_of([Record("Who?", context, ("Ada Lovelace",), "")], tokenizer, random.Random(seed))
        assert text_of(tokenizer, example, context) == {"Ada Lovelace"}
        assert len(example.pair.ids) <= WINDOW


def test_no_answer_is_the_first_place(tokenizer):
    (example,) = examples_of([Record("Who?", "Nobody says.", (), "")], tokenizer, random.Random(0))
    assert (example.starts, example.ends) == ([0], [0])


def test_batches_hold_every_example_once(tokenizer):
    records = [Record(f"Who is {n}?", f"It is {n}. " * (n % 7 + 1), (), "") for n in range(100)]
    examples = examples_of(records, tokenizer, random.Random(0))
    made = list(batches(examples, random.Random(1)))
    assert max(map(len, made)) == BATCH
    assert sorted(map(id, (one for batch in made for one in batch))) == sorted(map(id, examples))


def test_the_best_span_is_in_order_in_range_and_not_too_long():
    logits = np.zeros((8, 2), dtype=np.float32)
    logits[0] = 1, 1
    logits[5, 0] = logits[3, 1] = 9  # an end before its beginning
    logits[2, 0], logits[4, 1] = 4, 5
    assert best_span(logits, 1, 7)[:2] == (2, 3)
    assert best_span(logits, 4, 7)[:2] == (5, 5)
    assert best_span(logits, 1, 7, longest=1)[1] in (3, 5)

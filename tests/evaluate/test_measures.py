import math
import random

import numpy as np
import pytest

from rag_dolly.measures import MEASURES, by_formula, by_library, has_library, score

QRELS = {"q1": {"a": 2, "b": 1}, "q2": {"c": 1}, "q3": {"d": 1}}
RUN = {"q1": ["x", "a", "y", "z", "w", "b"], "q2": ["c"]}


@pytest.mark.parametrize("compute", [by_formula, by_library, score])
def test_measures_by_hand(compute):
    values = compute(RUN, QRELS, ["ndcg@10", "recall@5", "recall@10", "mrr@10"])
    gain, ideal = 2 / math.log2(3) + 1 / math.log2(7), 2 + 1 / math.log2(3)
    assert values[0] == pytest.approx([gain / ideal, 0.5, 1.0, 0.5])
    assert values[1] == pytest.approx([1, 1, 1, 1])
    assert values[2] == pytest.approx([0, 0, 0, 0])  # nothing was found, and that counts


@pytest.mark.parametrize("compute", [by_formula, by_library])
def test_only_the_first_ten_count(compute):
    run = {"q2": [*"123456789", "10", "c"]}
    assert compute(run, {"q2": {"c": 1}}, ["ndcg@10", "recall@100"])[0] == pytest.approx([0, 1])


def test_the_formulas_agree_with_the_library():
    assert has_library()
    dice = random.Random(0)
    names = [f"d{n}" for n in range(200)]
    qrels = {f"q{n}": {name: dice.choice([-1, 0, 1, 1, 2, 3]) for name in dice.sample(names, 30)} for n in range(50)}
    run = {query: dice.sample(names, dice.choice([0, 1, 5, 120])) for query in qrels}
    assert np.allclose(by_formula(run, qrels, list(MEASURES)), by_library(run, qrels, list(MEASURES)), atol=1e-9)

"""Training a sentence-transformers model on questions, their passages, and passages that only look like it.

Every other passage of a step counts as wrong for a question too (in-batch negatives: Henderson et al. 2017, section
4.4; `MultipleNegativesRankingLoss` in sentence-transformers). Texts get the prompts that the embedder puts before
queries and passages.
"""

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rag_dolly.finetune.disk import writing
from rag_dolly.finetune.hard_negatives import Triple
from rag_dolly.finetune.recipe import CLIP
from rag_dolly.finetune.training import OnStep, Step
from rag_dolly.generate.checkpoint import quiet

if TYPE_CHECKING:
    from torch import Tensor

    from ingest.embed import Identity

SCALE = 20.0
"""What cosines are multiplied by, as sentence-transformers does."""


def train_embedder(
    folder: Path,
    identity: "Identity",
    triples: Sequence[Triple],
    out: Path,
    *,
    epochs: float,
    rate: float,
    batch: int,
    seed: int,
    on_step: OnStep = lambda _: None,
) -> list[float]:
    """Train the embedder in `folder` and write it to `out`; return the loss of each step.

    The rate rises over the first tenth of the steps and falls to 0 over the rest, in straight lines. Raises
    `RagDollyError` if it cannot be written.
    """
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    import torch
    from sentence_transformers import SentenceTransformer

    torch.manual_seed(seed)
    with quiet():
        model: Any = SentenceTransformer(str(folder), local_files_only=True, trust_remote_code=False)
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.0)
    chosen = list(steps(triples, epochs, batch, seed))
    losses: list[float] = []
    began, tokens = time.monotonic(), 0
    model.train()
    for number, group in enumerate(chosen):
        for parameters in optimizer.param_groups:
            parameters["lr"] = rate * _height(number, len(chosen))
        features = _features(model, identity, group)
        loss: Any = ranking_loss([model(part)["sentence_embedding"] for part in features])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
        tokens += sum(int(part["attention_mask"].sum()) for part in features)
        seconds = max(time.monotonic() - began, 1e-9)
        left = seconds / (number + 1) * (len(chosen) - number - 1)
        on_step(Step(number + 1, len(chosen), losses[-1], tokens / seconds, left))
    with writing(out), quiet():
        model.save_pretrained(str(out), create_model_card=False)
    return losses


def ranking_loss(columns: "Sequence[Tensor]") -> "Tensor":
    """Return the mean cross-entropy of picking each question's own passage among all, by cosine times `SCALE`.

    `columns` are vectors of shape (n, dimension): questions, their passages, and perhaps wrong passages.
    """
    import torch

    questions, *passages = (torch.nn.functional.normalize(column.float(), dim=-1) for column in columns)
    scores = SCALE * questions @ torch.cat(passages).T
    return torch.nn.functional.cross_entropy(scores, torch.arange(len(questions), device=scores.device))


def steps(triples: Sequence[Triple], epochs: float, batch: int, seed: int) -> Iterator[list[Triple]]:
    """Yield groups of at most `batch` triples; no group has a right passage twice, for one would count as wrong.

    All triples with a wrong passage come in groups of their own.
    """
    wanted, given, epoch = round(len(triples) * epochs), 0, 0
    while given < wanted:
        order = np.random.default_rng([seed, epoch]).permutation(len(triples)).tolist()
        waiting = [triples[place] for place in order]
        epoch += 1
        while waiting and given < wanted:
            group = _group(waiting, min(batch, wanted - given))
            waiting = [triple for triple in waiting if triple not in group]
            given += len(group)
            yield group


def _group(waiting: Sequence[Triple], size: int) -> list[Triple]:
    """Return the first triples that go together with the very first."""
    group: list[Triple] = []
    seen: set[str] = set()
    for triple in waiting:
        if bool(triple.wrong) == bool(waiting[0].wrong) and triple.right not in seen:
            group.append(triple)
            seen.add(triple.right)
            if len(group) == size:
                break
    return group


def _features(model: Any, identity: "Identity", group: Sequence[Triple]) -> list[dict[str, Any]]:
    columns = [
        [identity.query_prompt + triple.question for triple in group],
        [identity.passage_prompt + triple.right for triple in group],
    ]
    if group[0].wrong:
        columns.append([identity.passage_prompt + triple.wrong for triple in group])
    tokenize = getattr(model, "preprocess", None) or model.tokenize  # its name before release 6
    return [
        {name: value.to(model.device) for name, value in tokenize(texts).items() if hasattr(value, "to")}
        for texts in columns
    ]


def _height(step: int, total: int) -> float:
    rising = max(1, total // 10)
    return min(1.0, (step + 1) / rising) * min(1.0, (total - step) / max(1, total - rising))

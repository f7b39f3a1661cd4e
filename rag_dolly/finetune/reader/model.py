"""The reader as a torch module, for training."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import log_softmax

from rag_dolly.finetune.reader.examples import Example

FAR = -1e4
"""In place of the logit of a token that cannot be in the answer."""
FROZEN = ("embeddings.word_embeddings.", "embeddings.position_embeddings.")


class ReaderModel(nn.Module):
    """BERT and a linear head with two logits per token. No dropout: a pass over the data or two does not overfit."""

    def __init__(self, base: Path) -> None:
        super().__init__()
        from transformers import BertModel

        self.bert: Any = BertModel.from_pretrained(
            base, add_pooling_layer=False, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0
        )
        self.head = nn.Linear(self.bert.config.hidden_size, 2)
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)
        for name, parameter in self.bert.named_parameters():
            parameter.requires_grad_(not name.startswith(FROZEN))

    def forward(self, batch: "Batch") -> Tensor:
        """Return logits of shape (pairs, places, 2); those of places outside the passage are `FAR`, but the first's."""
        states = self.bert(input_ids=batch.ids, attention_mask=batch.mask).last_hidden_state
        logits: Tensor = self.head(states).float()
        return logits.masked_fill(~batch.allowed[..., None], FAR)

    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """Return the weights under the names that `rag_dolly.reader.weights` has for them."""
        named = {name.removeprefix("bert."): value for name, value in self.state_dict().items()}
        wanted = {name: value for name, value in named.items() if not name.startswith(("pooler.", *FROZEN))}
        return {name: value.cpu().float().numpy().copy() for name, value in wanted.items() if value.is_floating_point()}


class Batch:
    """Examples as padded tensors: ids, mask, allowed, starts and ends, each of shape (pairs, places)."""

    def __init__(self, examples: Sequence[Example], device: str = "cpu") -> None:
        shape = len(examples), max(len(one.pair.ids) for one in examples)
        self.ids = torch.zeros(shape, dtype=torch.long)
        self.mask, self.allowed, self.starts, self.ends = (torch.zeros(shape, dtype=torch.bool) for _ in range(4))
        for row, (made, starts, ends) in enumerate(examples):
            self.ids[row, : len(made.ids)] = torch.tensor(made.ids)
            self.mask[row, : len(made.ids)] = True
            self.allowed[row, made.begin : made.end] = True
            self.allowed[row, 0] = True
            self.starts[row, starts] = True
            self.ends[row, ends] = True
        for name, value in vars(self).items():
            setattr(self, name, value.to(device))


def loss_of(logits: Tensor, batch: Batch) -> Tensor:
    """Return the mean of -log p(beginning) and -log p(end), each summed over all places where the answer stands."""
    chances = log_softmax(logits, dim=1)
    starts = torch.logsumexp(chances[..., 0].masked_fill(~batch.starts, FAR), 1)
    ends = torch.logsumexp(chances[..., 1].masked_fill(~batch.ends, FAR), 1)
    return -(starts + ends).mean() / 2

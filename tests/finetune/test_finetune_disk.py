"""A checkpoint on a disk that has no more room, and one that is damaged: one line each, and what was there stays."""

import resource

import pytest
import torch

from rag_dolly.errors import RagDollyError
from rag_dolly.finetune import checkpoints


@pytest.fixture
def trained(tmp_path):
    """A model and its optimizer after a step, and a folder with their checkpoint."""
    model = torch.nn.Linear(200, 200)
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    model(torch.ones(1, 200)).sum().backward()
    optimizer.step()
    checkpoints.save(tmp_path, 1, [0.5], model, optimizer, writes=True)
    return model, optimizer, tmp_path


@pytest.fixture
def no_room():
    """No file may grow beyond 1,000 bytes, which a program sees as it sees a full disk."""
    _, hard = before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_without_room_the_checkpoint_before_stays(trained, no_room):
    model, optimizer, folder = trained
    with pytest.raises(RagDollyError, match=r"checkpoint-2 cannot be written: .*File too large"):
        checkpoints.save(folder, 2, [0.5, 0.4], model, optimizer, writes=True)
    assert [path.name for path in folder.iterdir()] == ["checkpoint-1"]
    assert checkpoints.load(folder / "checkpoint-1", model, optimizer) == (1, [0.5])


@pytest.mark.parametrize("name", [checkpoints.WEIGHTS, checkpoints.OPTIMIZER, checkpoints.STATE])
def test_a_damaged_checkpoint_is_named(trained, name):
    model, optimizer, folder = trained
    path = folder / "checkpoint-1" / name
    path.write_bytes(path.read_bytes()[:5])
    with pytest.raises(RagDollyError, match=r"checkpoint-1 cannot be resumed from: .*; remove it to begin anew"):
        checkpoints.load(folder / "checkpoint-1", model, optimizer)

"""Two processes, as `accelerate launch` starts them with the configurations that are shipped, and what one would do."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from accelerate.commands.config.config_args import load_config_from_file
from safetensors.torch import load_file

import rag_dolly.finetune
from rag_dolly.finetune.run import finetune
from rag_dolly.generate.local import LocalPipeline
from tests.finetune.conftest import RECIPE, asked

ROOT = Path(__file__).parent.parent.parent
CONFIGS = Path(rag_dolly.finetune.__path__[0])
KINDS = {"gpus.yaml": "MULTI_GPU", "fsdp.yaml": "FSDP", "deepspeed.yaml": "DEEPSPEED"}


@pytest.mark.parametrize("name", KINDS)
def test_accelerate_reads_every_configuration(name):
    config = load_config_from_file(str(CONFIGS / name))
    assert (config.distributed_type, config.mixed_precision, config.num_processes) == (KINDS[name], "bf16", 8)
    assert sorted(path.name for path in CONFIGS.glob("*.yaml")) == sorted(KINDS)


@pytest.mark.parametrize(("name", "answers"), [("gpus.yaml", 2), ("fsdp.yaml", 0)])
def test_two_processes_learn_what_one_does(name, answers, neox, twenty, tmp_path):
    one = finetune(asked(twenty, neox, tmp_path / "one", replace(RECIPE, epochs=2, micro=1)))
    out = tmp_path / "two"
    launch(name, "finetune", twenty, "--base", neox, "--out", out, *"--epochs 2 --micro-batch 1".split())
    noted = json.loads((out / "run.json").read_text("utf-8"))
    assert noted["losses"] == pytest.approx(one.losses, rel=0.01)
    assert noted["after"]["loss"] == pytest.approx(one.after.loss, rel=0.01)
    assert noted["after"]["answers"] == answers  # a model that is shared out is not asked
    assert distance(out, tmp_path / "one") < 0.2 * distance(neox, tmp_path / "one")
    pipeline = LocalPipeline.load(str(out), device="cpu", offline=True, quantize="none", offload=True)
    assert pipeline.batch([pipeline.render("What is number 3?", ())], 8)[0].startswith("I")
    assert not list(out.glob("checkpoint-*"))


def launch(config: str, *command: str | Path) -> None:
    """Run a command of rag-dolly as two processes, with the recipe of the other tests."""
    accelerate = [sys.executable, "-m", "accelerate.commands.launch", "--config_file", CONFIGS / config]
    recipe = "--device cpu --offline --lr 3e-3 --batch-size 4 --held-out 2 --save-every 5".split()
    two = "--num_processes 2 --main_process_port 0 -m tests.finetune.launched".split()
    done = subprocess.run(
        [*accelerate, *two, *command, *recipe],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr


def distance(some: Path, other: Path) -> float:
    """Return how far the weights of two models are from one another, of those that both have in the same shape."""
    first, second = (load_file(folder / "model.safetensors") for folder in (some, other))
    same = [name for name, weight in first.items() if weight.shape == second[name].shape]
    assert len(same) > 20
    return float(torch.stack([(first[name].float() - second[name].float()).norm() for name in same]).norm())

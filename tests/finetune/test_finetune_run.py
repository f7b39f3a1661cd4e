"""A whole run with a tiny GPT-NeoX: it learns, it survives being killed, and what it leaves is used by name."""

import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from rag_dolly.errors import BadSetting, ModelNotFound, RagDollyError
from rag_dolly.finetune import saving
from rag_dolly.finetune.recipe import Recipe
from rag_dolly.finetune.run import finetune
from rag_dolly.generate.local import LocalPipeline
from tests.finetune.conftest import RECIPE, asked, write

ROOT = Path(__file__).parent.parent.parent
ALONE = """
import sys, torch
torch.set_num_threads(1)
from pathlib import Path
from tests.finetune.conftest import asked
from rag_dolly.finetune.run import finetune
data, base, out = map(Path, sys.argv[1:])
finetune(asked(data, base, out), on_step=lambda step: print(step.done, flush=True))
"""
"""A run as a program of its own; it says each step that is done."""


def test_it_learns_twenty_records_by_heart(neox, twenty, tmp_path):
    recipe = replace(RECIPE, epochs=50, rate=5e-3, batch=10, micro=10, held_out=0, checkpointing=False)
    found = finetune(asked(twenty, neox, tmp_path / "out", recipe))
    assert found.losses[-1] < 0.05 < 1 < found.losses[0]
    pipeline = LocalPipeline.load(str(tmp_path / "out"), device="cpu", offline=True, quantize="none", offload=True)
    assert pipeline.format == "dolly"
    prompts = [pipeline.render(f"What is number {n}?", ()) for n in (1, 3, 5, 7)]
    assert pipeline.batch(prompts, 32) == [f"It is thing {n * 7}" for n in (1, 3, 5, 7)]


def test_killed_in_the_middle_it_resumes_to_the_same_losses(neox, twenty, tmp_path):
    whole = finetune(asked(twenty, neox, tmp_path / "whole"))
    out = tmp_path / "killed"
    script = [sys.executable, "-c", ALONE, str(twenty), str(neox), str(out)]
    with subprocess.Popen(script, stdout=subprocess.PIPE, cwd=ROOT, text=True) as process:
        for line in process.stdout:
            if int(line) == 8:
                process.send_signal(signal.SIGKILL)
                break
    assert process.returncode == -signal.SIGKILL
    assert [path.name for path in out.glob("checkpoint-*")] == ["checkpoint-5"]
    assert not (out / "config.json").exists()
    steps = []
    resumed = finetune(asked(twenty, neox, out, resume=True), on_step=lambda step: steps.append(step.done))
    assert steps[0] == 6
    assert resumed.losses == whole.losses
    assert resumed.before == whole.before and resumed.after == whole.after
    files = [(folder / "model.safetensors").read_bytes() for folder in (out, tmp_path / "whole")]
    assert files[0] == files[1]
    assert not list(out.glob("checkpoint-*"))


def test_card_plot_and_figures_are_left(dolly, twenty, tmp_path):
    out = tmp_path / "out"
    found = finetune(asked(twenty, dolly, out, licence="CC-BY-SA-3.0", command=("rag-dolly", "finetune", "a b")))
    card = (out / "README.md").read_text("utf-8")
    assert card.startswith("---\nlicense: ")
    assert "data twenty.jsonl: CC-BY-SA-3.0" in card and "rag-dolly finetune 'a b'" in card
    assert f"| loss a response token | {found.before.loss:.4g} | {found.after.loss:.4g} |" in card
    assert found.after.loss < found.before.loss and found.after.answers == 2
    assert "<svg" in (out / "loss.html").read_text("utf-8")
    assert (out / "loss.png").read_bytes().startswith(b"\x89PNG")
    noted = json.loads((out / "run.json").read_text("utf-8"))
    assert noted["losses"] == found.losses and noted["after"]["loss"] == pytest.approx(found.after.loss, abs=1e-6)
    assert not [path for path in out.rglob("*") if path.suffix in (".bin", ".pt", ".pth", ".pkl")]


def test_dropped_records_are_counted(dolly, tmp_path):
    rows = [{"instruction": f"Number {n}", "response": "yes " * (300 if n < 3 else 1)} for n in range(13)]
    said = []
    recipe = replace(RECIPE, epochs=1, held_out=0)
    found = finetune(asked(write(tmp_path / "d.jsonl", rows), dolly, tmp_path / "out", recipe), said.append)
    assert found.records == 10 and found.left_out == {"of 256 tokens or more": 3}
    assert said == ["d.jsonl: 10 records to train on, 0 held out; 3 left out: of 256 tokens or more"]
    assert "- left out, of 256 tokens or more: 3" in (tmp_path / "out" / "README.md").read_text("utf-8")


def test_parts_of_a_step_add_up_to_it(dolly, twenty, tmp_path):
    recipe = replace(RECIPE, epochs=1, held_out=0)
    whole = finetune(asked(twenty, dolly, tmp_path / "a", recipe)).losses
    parts = finetune(asked(twenty, dolly, tmp_path / "b", replace(recipe, micro=1))).losses
    assert parts == pytest.approx(whole, rel=0.02)


def test_mistakes_are_said_before_anything_is_trained(dolly, twenty, tmp_path):
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine.txt").write_text("x")
    with pytest.raises(RagDollyError, match=r"is not empty \(mine.txt is in it\)"):
        finetune(asked(twenty, dolly, full))
    with pytest.raises(RagDollyError, match="nothing there can be resumed"):
        (full / "config.json").write_text("{}")
        finetune(asked(twenty, dolly, full, resume=True))
    with pytest.raises(ModelNotFound, match="no such directory"):
        finetune(asked(twenty, tmp_path / "no-base", tmp_path / "a"))
    with pytest.raises(RagDollyError, match=r"0 of 20 records can be trained on.*20 of 16 tokens or more"):
        finetune(asked(twenty, dolly, tmp_path / "b", replace(RECIPE, max_length=16)))
    with pytest.raises(BadSetting, match="--epochs"):
        finetune(asked(twenty, dolly, tmp_path / "c", replace(RECIPE, epochs=0)))
    with pytest.raises(RagDollyError, match=r"free, and the run needs .* GB"):
        saving.check_space(tmp_path, 10**13, 10**13, 2)


def test_only_the_same_run_is_resumed(dolly, twenty, tmp_path):
    recipe = replace(RECIPE, epochs=1)
    finetune(asked(twenty, dolly, tmp_path / "out", recipe))
    with pytest.raises(RagDollyError, match="is finished"):
        finetune(asked(twenty, dolly, tmp_path / "out", recipe, resume=True))
    path = tmp_path / "out" / "run.json"
    noted = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({key: value for key, value in noted.items() if key != "after"}), "utf-8")
    with pytest.raises(RagDollyError, match="had another recipe"):
        finetune(asked(twenty, dolly, tmp_path / "out", replace(recipe, rate=1e-3), resume=True))


def test_a_step_must_divide_evenly():
    assert Recipe(batch=48, micro=6).micro_for(8) == 6
    assert Recipe(batch=10, micro=4).micro_for(1) == 2
    with pytest.raises(BadSetting, match="multiple of the 3 processes"):
        Recipe(batch=10).micro_for(3)


def test_dollys_warm_up():
    recipe = Recipe()
    assert recipe.learning_rate(0, 625) == pytest.approx(5e-6 / 51)
    assert recipe.learning_rate(50, 625) == 5e-6 == recipe.learning_rate(624, 625)
    assert Recipe(rank=8).learning_rate(9, 10) == 2e-4

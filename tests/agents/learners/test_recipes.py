"""The recipes: from nothing to a model that calls its tool, and AutoCoA's stages."""

from __future__ import annotations

import json
import time
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from toys import tokenizer

from react_envs.agents.learners import (
    SFT,
    CollapseWarning,
    Contrastive,
    Evaluator,
    scaffolds,
    small_model,
    small_tokenizer,
    teach,
)
from react_envs.agents.learners.autocoa import STAGES, FactWorld, autocoa, wiki
from react_envs.agents.learners.curve import draw_text, save_png
from react_envs.agents.learners.quickstart import HELD_OUT, WATCHED, problems
from react_envs.agents.policies import make_policy
from react_envs.cli import main
from react_envs.rollout import play


def test_the_smallest_model_learns_to_call_its_tool_within_a_minute_of_cpu() -> None:
    """From nothing: lessons, tokenizer, training and evaluation. Holds on seeds 0 to 4."""
    began = time.process_time()
    env = problems()
    tasks: Any = env.unwrapped.tasks  # type: ignore[attr-defined]
    texts = [f"{tasks[i].question}\nprint( + - * / )" for i in range(3000)]
    small = small_tokenizer(texts, scaffolds(env), 1500)
    samples = teach(env, make_policy("oracle", env, thoughts="none"), small, range(3000)).samples
    net = small_model(small, seed=0)
    learner = SFT(net, samples, steps=400, seed=0)
    watch, evaluate = (
        Evaluator(net, small, problems, range(first, first + count), max_new_tokens=32)
        for first, count in ((WATCHED, 75), (HELD_OUT, 150))
    )
    for step in range(1, 401):
        learner.update(step - 1)
        if step >= 225 and step % 25 == 0 and watch()["em"] >= 0.85:
            break
    em = evaluate()["em"]
    seconds = time.process_time() - began
    for each in (watch, evaluate):
        each.close()
    print(f"{em:.1%} after {step} updates, {seconds:.1f} CPU-s")
    assert em >= 0.8
    assert seconds <= 60
    answered = [record for record in evaluate.records if record.answer is not None]
    assert all(record.calls == 1 for record in answered)


def test_a_quick_start_in_little_can_be_resumed(tmp_path: Path, capsys: Any) -> None:
    command = ["train", "quickstart", "--out", str(tmp_path), "--lessons", "40"]
    command += ["--updates", "1", "--held-out", "3"]
    original = SFT.__init__

    def short(self: Any, *args: Any, **options: Any) -> None:
        original(self, *args, **{**options, "steps": 3})

    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore", CollapseWarning)
        patch.setattr(SFT, "__init__", short)
        assert main(command) == 0
        first = capsys.readouterr().out
        assert main(command) == 2  # the folder holds a run
        assert "--resume" in capsys.readouterr().err
        assert main([*command, "--resume"]) == 0
    assert "held-out exact match" in first
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [row["stage"] for row in rows] == ["sft"] * 3 + ["taught", "rl"]
    assert (tmp_path / "model" / "config.json").exists()


def test_autocoa_s_stages_run_and_are_tabled(tmp_path: Path, capsys: Any) -> None:
    command = ["train", "autocoa", "--out", str(tmp_path), "--scale", "0.01", "--held-out", "2"]
    command += ["--max-new-tokens", "12"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CollapseWarning)
        assert main([*command, "--stages", "base", "sft1", "sft2", "sft3", "rl1", "rl2"]) == 0
    table = json.loads((tmp_path / "table.json").read_text())
    assert [row["stage"] for row in table] == [f"after {stage}" for stage in STAGES]
    assert all(row["updates"] >= 1 for row in table)
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert {"contrast", "accuracy"} <= set(next(r for r in rows if r["stage"] == "sft1"))
    assert {"live_groups", "entropy"} <= set(next(r for r in rows if r["stage"] == "rl1"))
    assert "after rl2" in capsys.readouterr().out


def test_autocoa_goes_on_where_it_was_cut(tmp_path: Path) -> None:
    """Cut after a stage was measured and before the next one's first checkpoint."""

    def rows(path: Path) -> list[dict[str, Any]]:
        found = autocoa(
            path,
            stages=["base", "sft1"],
            scale=0.02,
            held_out=2,
            width=32,
            max_new_tokens=8,
            resume=True,
            progress=False,
        )
        return [{k: v for k, v in row.items() if not k.endswith("_s")} for row in found]

    def cut(self: Any, step: int) -> Any:
        raise RuntimeError("the machine went down")

    whole = rows(tmp_path / "whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Contrastive, "update", cut)
        with pytest.raises(RuntimeError, match="went down"):
            rows(tmp_path / "cut")
    assert rows(tmp_path / "cut") == whole


def test_autocoa_takes_a_checkpoint(tmp_path: Path) -> None:
    from react_envs.agents.learners.small import save_model

    save_model(small_model(tokenizer(), 16, heads=2), tokenizer(), tmp_path / "model")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CollapseWarning)
        rows = autocoa(
            tmp_path / "run",
            model=str(tmp_path / "model"),
            stages=["sft2", "rl2"],
            scale=0.005,
            held_out=1,
            max_new_tokens=8,
            progress=False,
        )
    assert [row["stage"] for row in rows] == ["after sft2", "after rl2"]


def test_the_fixed_world_s_questions_are_in_one_part_each() -> None:
    world = FactWorld()
    parts = (world.known, world.train, world.held_known, world.held_out)
    tasks = wiki(fixed=True).unwrapped.tasks  # type: ignore[attr-defined]
    texts = [{tasks[i].question for i in part} for part in parts]
    assert all(len(text) == len(part) > 5 for text, part in zip(texts, parts, strict=True))
    assert len(set.union(*texts)) == sum(map(len, texts))


def test_the_oracle_solves_what_the_recipes_learn_from() -> None:
    for env in (wiki(), wiki(fixed=True), problems()):
        record = play(env, make_policy("oracle", env, thoughts="none"), 0)
        assert record.reward == 1.2
        assert env.reset(options={"index": 0})[0].startswith("Question: ")
        env.close()


def test_a_curve_as_text_and_as_picture(tmp_path: Path) -> None:
    text = draw_text([0.0, 0.25, 0.5, 1.0], width=2, height=4)
    assert text.splitlines() == ["1.00 |", "0.75 | #", "0.50 | #", "0.25 | #", "     +--"]
    assert draw_text([], title="none").splitlines()[0] == "none"
    assert save_png(tmp_path / "curve.png", {"a": ([0, 1], [0.1, 0.9])}, title="t")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert torch.get_num_threads() == 1

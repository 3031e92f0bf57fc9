"""Runs: logs, checkpoints, and going on to the same numbers."""

from __future__ import annotations

import csv
import json
import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from toys import lessons, model, problems, tokenizer, weights

from react_envs.agents.learners import (
    GRPO,
    SFT,
    CollapseWarning,
    Contrastive,
    RunFolder,
    train,
)
from react_envs.agents.learners.contrastive import ActionPair
from react_envs.errors import ArgumentError

CLOCKS = ("wall_s", "cpu_s")


def sft(net: Any) -> SFT:
    return SFT(net, lessons()[:8], steps=6, batch_size=4, warmup=2)


def contrast(net: Any) -> Contrastive:
    pairs = [ActionPair(s.ids[:9].tolist(), s.ids[9:14].tolist(), [7, 8], True) for s in lessons()]
    return Contrastive(net, pairs, steps=6, batch_size=4, warmup=2)


def grpo(net: Any) -> GRPO:
    return GRPO(
        net,
        tokenizer(),
        lambda: problems(reward={"format": 1.0}),
        steps=6,
        prompts=2,
        group=2,
        max_new_tokens=4,
        lr=1e-2,
        kl_coef=0.01,
    )


class Cut(Exception):
    """The machine went down."""


def run(path: Path, stages: dict[str, Callable[[Any], Any]], cut: int | None = None) -> Any:
    """All stages one after another, cut in the midst of update number `cut` if told so."""
    net = model()
    count = 0

    def crashing(learner: Any) -> Any:
        update = learner.update

        def counted(step: int) -> Any:
            nonlocal count
            count += 1
            if count == cut:
                raise Cut
            return update(step)

        learner.update = counted
        return learner

    with RunFolder(path, {"seed": 0}, resume=True) as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", CollapseWarning)
        for name, make in stages.items():
            learner = crashing(make(net))
            train(learner, folder, stage=name, save_every=2, progress=False)
            if isinstance(learner, GRPO):
                learner.close()
        rows = [{k: v for k, v in row.items() if k not in CLOCKS} for row in folder.rows()]
    return weights(net), rows


def sft_with_dropout(net: Any) -> SFT:
    for layer in net.model.layers:
        layer.self_attn.attention_dropout = 0.5
    return sft(net)


STAGES: list[dict[str, Callable[[Any], Any]]] = [
    {"sft": sft},
    {"dropout": sft_with_dropout},
    {"contrast": contrast},
    {"rl": grpo},
    {"first": sft, "second": contrast, "third": sft},
]


@pytest.mark.parametrize("stages", STAGES, ids=lambda stages: "+".join(stages))
def test_a_run_that_was_cut_goes_on_to_the_same_numbers(stages: Any, tmp_path: Path) -> None:
    whole, rows = run(tmp_path / "whole", stages)
    for cut in (2, 4, 6 * len(stages) - 1):
        path = tmp_path / str(cut)
        with pytest.raises(Cut):
            run(path, stages, cut=cut)
        resumed, again = run(path, stages)
        assert again == rows
        assert resumed.equal(whole)


def test_a_finished_run_is_not_run_again(tmp_path: Path) -> None:
    whole, rows = run(tmp_path, {"sft": sft})
    again, same = run(tmp_path, {"sft": sft}, cut=1)
    assert same == rows
    assert again.equal(whole)


def test_lines_behind_the_checkpoint_are_dropped(tmp_path: Path) -> None:
    with pytest.raises(Cut):
        run(tmp_path, {"sft": sft}, cut=4)  # the checkpoint is at 2, line 3 is behind it
    assert len((tmp_path / "metrics.jsonl").read_text().splitlines()) == 3
    with RunFolder(tmp_path, {"seed": 0}, resume=True) as folder:
        assert [row["step"] for row in folder.rows()] == [1, 2]


def test_a_run_of_other_settings_is_refused_and_a_run_is_not_overwritten(tmp_path: Path) -> None:
    RunFolder(tmp_path, {"seed": 0, "lr": 1}).close()
    with pytest.raises(ArgumentError, match="lr, seed"):
        RunFolder(tmp_path, {"seed": 1, "lr": 2}, resume=True)
    with pytest.raises(ArgumentError, match="--resume"):
        RunFolder(tmp_path, {"seed": 0, "lr": 1})


def test_what_is_measured_is_in_all_three_logs(tmp_path: Path) -> None:
    with RunFolder(tmp_path, {}) as folder:
        folder.log("sft", 1, {"loss": 2.0})
        folder.log("sft", 2, {"loss": 1.0, "eval_em": 0.5})
    lines = [json.loads(x) for x in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["loss"] for line in lines] == [2.0, 1.0]
    with (tmp_path / "metrics.csv").open() as file:
        table = list(csv.DictReader(file))
    assert [row["eval_em"] for row in table] == ["", "0.5"]
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert [event.value for event in events.Scalars("sft/loss")] == [2.0, 1.0]


def test_a_number_that_is_none_is_written_as_text(tmp_path: Path) -> None:
    with RunFolder(tmp_path, {}) as folder:
        folder.log("rl", 1, {"em": math.nan, "kl": math.inf, "loss": 1.0})

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    (line,) = (tmp_path / "metrics.jsonl").read_text().splitlines()
    row = json.loads(line, parse_constant=refuse)
    assert (row["em"], row["kl"], row["loss"]) == ("nan", "inf", 1.0)


def test_lines_that_were_lost_are_not_padded(tmp_path: Path) -> None:
    """The machine went down before the lines of the checkpoint reached the disk."""
    with pytest.raises(Cut):
        run(tmp_path, {"sft": sft}, cut=4)
    (tmp_path / "metrics.jsonl").write_text("")
    with RunFolder(tmp_path, {"seed": 0}, resume=True) as folder:
        assert folder.rows() == []
    assert (tmp_path / "metrics.jsonl").read_bytes() == b""


def test_a_stage_ends_early_when_an_evaluation_is_good_enough(tmp_path: Path) -> None:
    measured = iter([0.1, 0.8, 0.9])
    with RunFolder(tmp_path, {}) as folder:
        train(
            sft(model()),
            folder,
            stage="sft",
            evaluate=lambda: {"em": next(measured)},
            every=1,
            first=2,
            until=lambda metrics: metrics["em"] > 0.5,
            progress=False,
        )
        rows = folder.rows()
        assert folder.is_done("sft")
    assert [row.get("eval_em") for row in rows] == [None, 0.1, 0.8]


def test_a_checkpoint_is_replaced_as_a_whole(tmp_path: Path) -> None:
    with RunFolder(tmp_path, {}) as folder:
        folder.save({"done": [], "n": 1})
        folder.save({"done": [], "n": 2})
        assert torch.load(tmp_path / "last.pt", weights_only=False)["state"]["n"] == 2
    assert sorted(p.name for p in tmp_path.iterdir() if p.suffix == ".new") == []

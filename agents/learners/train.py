"""`train`: the loop that every learner shares — update, log, evaluate, save, go on."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import torch
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from react_envs.agents.learners.run_folder import RunFolder

__all__ = ["Learner", "train"]


class Learner(Protocol):
    """One update at a time; all that it does at a step depends on its state and the step alone."""

    @property
    def model(self) -> Any:
        """What is trained."""
        ...

    @property
    def steps(self) -> int:
        """Updates in all."""
        ...

    def update(self, step: int) -> Mapping[str, float]:
        """Do update `step`, from 0; what to log of it."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """What changes from step to step, the model apart."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from `state_dict()`."""
        ...


def train(
    learner: Learner,
    run: RunFolder,
    *,
    stage: str,
    evaluate: Callable[[], Mapping[str, float]] | None = None,
    every: int = 0,
    first: int = 0,
    until: Callable[[Mapping[str, float]], bool] | None = None,
    save_every: int = 50,
    show: str = "loss",
    progress: bool = True,
) -> None:
    """Do what is left of a learner's updates.

    A run that was cut goes on from its last checkpoint and reaches the same numbers: updates
    depend on the step and the state, never on a clock or a shared source of chance (torch's
    is seeded for each update). A stage that the checkpoint has behind it is skipped.

    Args:
        learner: what to train.
        run: where to.
        stage: name of this training in the run; a run has one or several, in a fixed order.
        evaluate: what to measure besides, logged as `eval_...`.
        every: updates between evaluations, the end included; 0 for at the end alone.
        first: updates before the first of them.
        until: ends the stage early, when an evaluation satisfies it: a small model learns a tool
            within a few updates, at another time with each seed.
        save_every: updates between checkpoints, the end included.
        show: the metric that the progress bar shows.
        progress: whether there is a bar.
    """
    begin = _restore(learner, run, stage)
    if run.is_done(stage):
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[shown]}"),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not progress, transient=True) as bar:
        task = bar.add_task(stage, total=learner.steps, completed=begin, shown="")
        for step in range(begin + 1, learner.steps + 1):
            # a model with dropout draws the same at a step, whether the run was cut or not
            torch.manual_seed(zlib.crc32(f"{run.settings} {stage} {step}".encode()))
            metrics = dict(learner.update(step - 1))
            last = step == learner.steps
            if evaluate is not None and (last or (every and step >= first and step % every == 0)):
                measured = evaluate()
                metrics |= {f"eval_{name}": value for name, value in measured.items()}
                last |= until is not None and until(measured)
            run.log(stage, step, metrics)
            bar.update(task, completed=step, shown=f"{show} {metrics.get(show, 0):.3f}")
            if last or step % save_every == 0:
                _save(learner, run, stage, step, done=last)
            if last:
                return


def _save(learner: Learner, run: RunFolder, stage: str, step: int, *, done: bool) -> None:
    finished = list(run.checkpoint["done"]) if run.checkpoint else []
    run.save(
        {
            "stage": stage,
            "step": step,
            "done": [*finished, stage] if done else finished,
            "model": learner.model.state_dict(),
            "learner": learner.state_dict(),
        }
    )


def _restore(learner: Learner, run: RunFolder, stage: str) -> int:
    """Model and learner as the checkpoint of this stage has them; the updates it has done."""
    saved = run.checkpoint
    if saved is None or saved["stage"] != stage:
        return 0
    learner.model.load_state_dict(saved["model"])
    learner.load_state_dict(saved["learner"])
    return int(saved["step"])

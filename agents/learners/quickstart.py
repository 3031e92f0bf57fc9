"""The quick start: from nothing to a model that calls the Python tool, in under three minutes.

A tokenizer and a model of 0.15 million parameters are made on the spot. The oracle's solutions of
synthetic grade-school problems teach it to call the tool (SFT), until three held-out problems of
four are right; from there it learns by its own trials (GRPO).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium as gym
import torch

from react_envs.agents.learners.curve import draw_text, save_png
from react_envs.agents.learners.evaluation import Evaluator
from react_envs.agents.learners.grpo import GRPO
from react_envs.agents.learners.run_folder import RunFolder
from react_envs.agents.learners.sft import SFT
from react_envs.agents.learners.small import (
    save_model,
    scaffolds,
    small_model,
    small_tokenizer,
)
from react_envs.agents.learners.teaching import teach
from react_envs.agents.learners.train import train
from react_envs.agents.policies import make_policy
from react_envs.rollout import EpisodeRecord
from react_envs.trace import Sample

__all__ = ["QuickStart", "quickstart"]

RL_FIRST = 500_000_000
"""First index of the problems that are tried out."""
WATCHED = 900_000_000
"""First index of those that tell when the lessons are enough."""
HELD_OUT = 1_000_000_000
"""First index of those that are measured on, and used for nothing else."""


@dataclass(frozen=True)
class QuickStart:
    """What a quick start came to."""

    em_sft: float
    """Held-out exact match before the trials."""
    em: float
    """And after them."""
    rewards: list[float]
    """Share of right answers in each update's trials."""
    episode: EpisodeRecord
    """A held-out episode, for the eye."""
    wall_s: float
    cpu_s: float


def problems(**options: Any) -> gym.Env[str, str]:
    """One-step problems with the bare question as prompt."""
    usual: dict[str, Any] = {
        "difficulty": 1,
        "instructions": "",
        "max_steps": 3,
        "reward": {"exact_match": 1.0, "format": 0.2},
    }
    return gym.make("ReactGSM8K-v0", **{**usual, **options})


def quickstart(
    out: str | os.PathLike[str],
    *,
    seed: int = 0,
    lessons: int = 3000,
    updates: int = 60,
    held_out: int = 150,
    resume: bool = False,
    progress: bool = True,
    say: Callable[[str], None] = lambda text: None,
) -> QuickStart:
    """Train a small model from scratch on ReactGSM8K; `out` gets model, metrics and curve.

    `out/model` is a Hugging Face checkpoint with its tokenizer, `out/curve.png` the curve (where
    matplotlib is installed); the rest is as `RunFolder` says.

    Args:
        out: the run's folder.
        seed: of model, order and trials.
        lessons: problems that the oracle solves.
        updates: of GRPO.
        held_out: problems to measure on.
        resume: go on in `out`.
        progress: whether there are bars.
        say: gets what a reader wants to know meanwhile.
    """
    torch.set_num_threads(1)  # tensors this small only wait for each other
    settings = {"recipe": "quickstart", "seed": seed, "lessons": lessons, "updates": updates}
    with RunFolder(out, {**settings, "held_out": held_out}, resume=resume) as run:
        env = problems()
        tokenizer, samples = _lessons(env, lessons, progress)
        model = small_model(tokenizer, seed=seed)
        watch, evaluate = (
            Evaluator(model, tokenizer, problems, range(i, i + held_out), max_new_tokens=32)
            for i in (WATCHED, HELD_OUT)
        )
        parameters = sum(parameter.numel() for parameter in model.parameters())
        say(f"{len(samples)} lessons, {parameters:,} parameters, {len(tokenizer)} tokens")
        go = partial(train, run=run, progress=progress)
        sft = SFT(model, samples, steps=400, seed=seed)
        enough = partial(go, evaluate=watch, every=25, first=175, until=_three_of_four)
        enough(sft, stage="sft")
        em_sft = _taught(run, evaluate)
        say(f"taught: {em_sft:.1%} of held-out problems right")
        rl = GRPO(
            model,
            tokenizer,
            problems,
            steps=updates,
            indices=range(RL_FIRST, WATCHED),
            max_new_tokens=32,
            seed=seed,
        )
        go(rl, stage="rl", evaluate=evaluate, show="em", every=max(1, updates // 3), save_every=20)
        if not evaluate.records:  # all was done before
            evaluate()
        rl.close()
        for each in (watch, evaluate, env):
            each.close()
        save_model(model, tokenizer, run.path / "model")
        trials = [row for row in run.rows() if row["stage"] == "rl"]
        rewards = [float(row["em"]) for row in trials]
        measured = [(row["step"], row["eval_em"]) for row in trials if "eval_em" in row]
        _show(run.path, rewards, [(0, em_sft), *measured], say)
        wall, cpu = run.seconds()
    right = [record for record in evaluate.records if record.reward_terms.get("exact_match")]
    return QuickStart(em_sft, measured[-1][1], rewards, (right or evaluate.records)[0], wall, cpu)


def _lessons(env: gym.Env[str, str], count: int, progress: bool) -> tuple[Any, list[Sample]]:
    here: Any = env.unwrapped
    texts = (f"{here.tasks[i].question}\nprint( + - * / )" for i in range(count))
    tokenizer = small_tokenizer(texts, scaffolds(env), vocabulary=1500)
    oracle = make_policy("oracle", env, thoughts="none")
    bar = "lessons" if progress else None
    return tokenizer, teach(env, oracle, tokenizer, range(count), progress=bar).samples


def _three_of_four(metrics: Mapping[str, float]) -> bool:
    return metrics["em"] >= 0.75


def _taught(run: RunFolder, evaluate: Evaluator) -> float:
    """Held-out exact match before the trials, measured once a run."""
    known = [row["em"] for row in run.rows() if row["stage"] == "taught"]
    return float(known[0] if known else run.log("taught", 0, evaluate())["em"])


def _show(
    folder: Path,
    rewards: list[float],
    measured: list[tuple[int, float]],
    say: Callable[[str], None],
) -> None:
    say(draw_text(rewards, title="share of right answers in each update's own trials"))
    steps, ems = zip(*measured, strict=True)
    curves = {
        "trials of the update": (range(1, len(rewards) + 1), rewards),
        "held-out, greedy": (steps, ems),
    }
    if save_png(folder / "curve.png", curves, title="GRPO on ReactGSM8K, from scratch"):
        say(f"curve: {folder / 'curve.png'}")

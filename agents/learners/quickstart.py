"""The quick start: from nothing to a model that calls the Python tool, in under three minutes.

A tokenizer and a model of 0.15 million parameters are made on the spot. The oracle's solutions of
synthetic grade-school problems teach it to call the tool (SFT), until three held-out problems of
four are right; from there it learns by its own trials (GRPO).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
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

__all__ = ["QuickStart", "quickstart"]

HELD_OUT = 1_000_000_000
"""First index of problems that no training uses."""
RL_FIRST = 500_000_000
"""First index of those that are tried out."""


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


def problems() -> gym.Env[str, str]:
    """One-step problems with the bare question as prompt."""
    return gym.make(
        "ReactGSM8K-v0",
        difficulty=1,
        instructions="",
        max_steps=3,
        reward={"exact_match": 1.0, "format": 0.2},
    )


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
        evaluate = Evaluator(
            model, tokenizer, problems, range(HELD_OUT, HELD_OUT + held_out), max_new_tokens=32
        )
        parameters = sum(parameter.numel() for parameter in model.parameters())
        say(
            f"{len(samples)} lessons; a model of {parameters:,} parameters, {len(tokenizer)} tokens"
        )
        go = partial(train, run=run, evaluate=evaluate, progress=progress)
        sft = SFT(model, samples, steps=400, seed=seed)
        go(sft, stage="sft", every=25, first=175, until=lambda m: m["em"] >= 0.75)
        em_sft = _last(run, "sft")
        say(f"taught: {em_sft:.1%} of held-out problems right")
        rl = GRPO(
            model,
            tokenizer,
            problems,
            steps=updates,
            indices=range(RL_FIRST, HELD_OUT),
            max_new_tokens=32,
            seed=seed,
        )
        go(rl, stage="rl", show="em", every=max(1, updates // 3), save_every=20)
        em = _last(run, "rl")
        if not evaluate.records:  # all was done before
            evaluate()
        rl.close()
        evaluate.close()
        env.close()
        save_model(model, tokenizer, run.path / "model")
        rewards = [row["em"] for row in run.rows() if row["stage"] == "rl"]
        _show(run, rewards, em_sft, say)
        wall, cpu = run.seconds()
    right = [record for record in evaluate.records if record.reward_terms.get("exact_match")]
    return QuickStart(em_sft, em, rewards, (right or evaluate.records)[0], wall, cpu)


def _lessons(env: gym.Env[str, str], count: int, progress: bool) -> tuple[Any, list[Any]]:
    tasks: Any = env.unwrapped.tasks  # type: ignore[attr-defined]
    texts = (f"{tasks[i].question}\nprint( + - * / )" for i in range(count))
    tokenizer = small_tokenizer(texts, scaffolds(env), vocabulary=1500)
    oracle = make_policy("oracle", env, thoughts="none")
    bar = "lessons" if progress else None
    return tokenizer, teach(env, oracle, tokenizer, range(count), progress=bar).samples


def _last(run: RunFolder, stage: str) -> float:
    return float([r["eval_em"] for r in run.rows() if r["stage"] == stage and "eval_em" in r][-1])


def _show(run: RunFolder, rewards: list[float], em_sft: float, say: Callable[[str], None]) -> None:
    measured = [
        (r["step"], r["eval_em"]) for r in run.rows() if r["stage"] == "rl" and "eval_em" in r
    ]
    xs, ys = [0, *(x for x, _ in measured)], [em_sft, *(y for _, y in measured)]
    say(draw_text(rewards, title="share of right answers in each update's own trials"))
    curves = {
        "trials of the update": (list(range(1, len(rewards) + 1)), rewards),
        "held-out, greedy": (xs, ys),
    }
    if save_png(run.path / "curve.png", curves, title="GRPO on ReactGSM8K, from scratch"):
        say(f"curve: {run.path / 'curve.png'}")

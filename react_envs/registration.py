"""Registers the environments with Gymnasium, and builds them from plain keyword arguments."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import gymnasium as gym

from react_envs.errors import ArgumentError

if TYPE_CHECKING:
    from react_envs.tasks import TaskSet

__all__ = ["ENTRY_POINTS", "IDS", "assemble", "make_env", "register_all"]

_MATH: dict[str, dict[str, Any]] = {
    "ReactGSM8K-v0": {"dataset": "gsm8k", "split": "synthetic"},
    "ReactGSMHard-v0": {"dataset": "gsm_hard", "split": "test"},
    "ReactSVAMP-v0": {"dataset": "svamp", "split": "test"},
    "ReactMultiArith-v0": {"dataset": "multiarith", "split": "test"},
    "ReactMATH500-v0": {"dataset": "math500", "split": "test"},
}
_WIKI: dict[str, dict[str, Any]] = {
    "ReactWiki-v0": {"dataset": "synthetic_wiki", "split": "synthetic", "usual_steps": 20},
    "ReactSimulated-v0": {
        "dataset": "synthetic_wiki",
        "split": "synthetic",
        "usual_steps": 20,
        "mode": "passages",
        "simulate": "noisy",
    },
    "ReactMultiTool-v0": {
        "dataset": "synthetic_wiki",
        "split": "synthetic",
        "usual_steps": 20,
        "tools": ["python"],
        "world": {"questions": ["arithmetic"]},
    },
    "ReactHotpotQA-v0": {"dataset": "hotpotqa", "split": "dev"},
    "React2Wiki-v0": {"dataset": "2wiki", "split": "dev"},
    "ReactMuSiQue-v0": {"dataset": "musique", "split": "dev"},
    "ReactBamboogle-v0": {"dataset": "bamboogle", "split": "test"},
    "ReactNQ-v0": {"dataset": "nq", "split": "test"},
    "ReactTriviaQA-v0": {"dataset": "triviaqa", "split": "test"},
    "ReactPopQA-v0": {"dataset": "popqa", "split": "test"},
    "ReactFEVER-v0": {"dataset": "fever", "split": "dev"},
    "ReactAutoCoAEval-v0": {"dataset": "autocoa_eval", "split": "test"},
}
IDS = {**_MATH, **_WIKI}
"""Registered ids with the arguments that tell them apart."""

ENTRY_POINTS = {
    **dict.fromkeys(_MATH, "react_envs.registration:make_env"),
    **dict.fromkeys(_WIKI, "react_envs.wiki:make_wiki_env"),
}
"""What builds each of them; its keyword arguments are those of `gym.make`."""

INSTRUCTIONS = {
    "numeric": "Solve the word problem. The answer is a number.",
    "math": "Solve the problem. Give the answer in LaTeX, simplified and exact.",
}

SYNTHETIC = {
    "synthetic": "train",
    "synthetic_train": "train",
    "synthetic_test": "test",
}
"""Splits of generated problems. "synthetic" is the training part: who trains on the default
and evaluates on "synthetic_test" never meets a problem twice."""


def register_all() -> None:
    """Register every id of `IDS`; calling it again changes nothing."""
    for env_id, kwargs in IDS.items():
        if env_id not in gym.registry:
            gym.register(env_id, entry_point=ENTRY_POINTS[env_id], kwargs=kwargs)


def make_env(
    dataset: str,
    split: str,
    *,
    dialect: str | Mapping[str, Any] | Any = "react",
    tools: Iterable[str | Mapping[str, Any] | Any] = ("python",),
    reward: str | Mapping[str, Any] | Callable[..., float] = "exact_match",
    max_steps: int | None = None,
    on_limit: Literal["truncate", "answer", "refuse", "finish"] | None = None,
    data: str | os.PathLike[str] | None = None,
    difficulty: int | tuple[int, int] | None = None,
    data_seed: int = 0,
    instructions: str | None = None,
    simulate: str | Mapping[str, Any] | Any = None,
    render_mode: str | None = None,
) -> gym.Env[str, str]:
    """What `gym.make("ReactGSM8K-v0", ...)` builds: a `ReactEnv` with a step limit and rewards.

    Args:
        dataset: a key of `react_envs.tasks.DATASETS`.
        split: one of the data set's published splits; for "gsm8k" also "synthetic" (alias of
            "synthetic_train") and "synthetic_test", generated offline and without end.
        dialect: a name, `{"name": ..., **options}` or an object.
        tools: names, `{"name": ..., **options}`, typed functions or `Tool` objects.
        reward: a preset's name, `{"name": ..., **options}`, `{term: weight}`, a function of the
            `Episode`, or `"module:name"` of one (see `react_envs.rewards.terms.make_terms`).
        max_steps: turns until the episode is truncated; None for the dialect's own number, or
            10 where it has none.
        on_limit: what happens then (see `StepLimit`); None for the dialect's own rule (but for
            `"truncate"` where that wants a last turn for the answer and there is one turn alone).
        data: a file or folder to read a published split from (see `load_tasks`).
        difficulty: steps of the synthetic problems, one number or an inclusive range.
        data_seed: which unlimited stream of synthetic problems.
        instructions: the text before the question, in place of the usual one; "" for none, if
            the agent was trained to need none.
        simulate: what plays the tools instead of themselves: a name of
            `react_envs.simulators.SIMULATORS`, `{"name": ..., **options}` or a `Simulator`.
        render_mode: None or `"ansi"`.

    Raises:
        ArgumentError: for arguments that cannot be used.
        DataNotFoundError: if a published split is on none of the usual places.
    """
    from react_envs.tasks import DATASETS, SyntheticMath, load_tasks

    if dataset == "gsm8k" and split not in {*SYNTHETIC, *DATASETS[dataset].files}:
        known = ", ".join([*SYNTHETIC, *DATASETS[dataset].files])
        raise ArgumentError(f"data set 'gsm8k' has no split {split!r}; it has: {known}")
    tasks: TaskSet
    if dataset == "gsm8k" and split in SYNTHETIC:
        if data is not None:
            raise ArgumentError(f"split {split!r} is generated: it does not take data={data!r}")
        part: Any = SYNTHETIC[split]
        tasks = SyntheticMath(part, seed=data_seed, difficulty=difficulty)
    else:
        if difficulty is not None or data_seed != 0:
            raise ArgumentError(
                f"difficulty and data_seed choose synthetic problems; split {split!r} has none"
            )
        tasks = load_tasks(dataset, split, data)
    grader = DATASETS[dataset].grader
    return assemble(
        tasks,
        tools,
        dialect,
        instructions=INSTRUCTIONS[grader],
        own_instructions=instructions,
        simulate=simulate,
        reward=reward,
        grader=grader,
        max_steps=max_steps,
        on_limit=on_limit,
        render_mode=render_mode,
    )


def assemble(
    tasks: TaskSet,
    tools: Iterable[str | Mapping[str, Any] | Any],
    dialect: str | Mapping[str, Any] | Any,
    *,
    instructions: str,
    own_instructions: str | None,
    simulate: Any,
    reward: str | Mapping[str, Any] | Callable[..., float],
    grader: str,
    max_steps: int | None,
    on_limit: Literal["truncate", "answer", "refuse", "finish"] | None,
    render_mode: str | None,
    usual_steps: int = 10,
) -> gym.Env[str, str]:
    """A `ReactEnv` in its two wrappers; `make_env` says what the arguments mean.

    `instructions` say what the task is, before the dialect says how to write; `own_instructions`
    stand in place of both. `usual_steps` are the turns where neither `max_steps` nor the dialect
    limits them.
    """
    from react_envs.core import ReactEnv
    from react_envs.dialects import make_dialect
    from react_envs.tools import make_tools
    from react_envs.wrappers import EpisodeReward, StepLimit

    made = make_dialect(dialect)
    if simulate is not None:
        from react_envs.simulators import simulate_tools

        tools = simulate_tools(make_tools(tools), simulate)
    react = ReactEnv(tasks, tools, made, instructions=instructions, render_mode=render_mode)
    if own_instructions is not None:
        react.instructions = own_instructions
    env: gym.Env[str, str] = react
    limits = made.limits
    turns = max_steps if max_steps is not None else limits.max_turns or usual_steps
    if on_limit is None:
        one = turns == 1 and limits.on_limit in ("answer", "refuse")
        on_limit = "truncate" if one else limits.on_limit
    env = StepLimit(env, turns, on_limit, limits.note)
    return EpisodeReward(env, reward, grader)

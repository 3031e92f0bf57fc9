"""Small things to learn from: a tokenizer, a model, lessons of ReactGSM8K, all within a second."""

from __future__ import annotations

from functools import cache
from typing import Any

import gymnasium as gym
import torch

from react_envs.agents.learners import scaffolds, small_model, small_tokenizer, teach
from react_envs.agents.policies import make_policy
from react_envs.trace import Sample

torch.set_num_threads(1)


def problems(**options: Any) -> gym.Env[str, str]:
    """One-step problems, the question alone as prompt."""
    usual = {"difficulty": 1, "instructions": "", "max_steps": 3}
    return gym.make("ReactGSM8K-v0", **{**usual, **options})


@cache
def tokenizer() -> Any:
    env: Any = problems()
    tasks = env.unwrapped.tasks
    texts = [f"{tasks[i].question}\nprint( + - * / )" for i in range(200)]
    return small_tokenizer(texts, scaffolds(env), 700)


def model(seed: int = 0, width: int = 16) -> Any:
    return small_model(tokenizer(), width, heads=2, seed=seed)


@cache
def lessons(count: int = 24) -> tuple[Sample, ...]:
    env = problems()
    oracle = make_policy("oracle", env, thoughts="none")
    return tuple(teach(env, oracle, tokenizer(), range(count)).samples)


def weights(trained: Any) -> torch.Tensor:
    """All parameters in one vector."""
    return torch.cat([p.detach().flatten() for p in trained.parameters()])

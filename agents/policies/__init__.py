"""Policies by name: `make_policy("oracle", env)`."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import gymnasium as gym

from react_envs.agents.policies.oracle import OraclePolicy
from react_envs.agents.policies.replay import ProgramPolicy, ReplayPolicy
from react_envs.agents.policies.scripted import ScriptedPolicy
from react_envs.agents.policies.thinker import ThinkerPolicy
from react_envs.agents.policies.wiki_oracle import WikiOraclePolicy
from react_envs.errors import ArgumentError
from react_envs.rollout import Policy
from react_envs.tasks import SyntheticWiki

__all__ = [
    "POLICIES",
    "OraclePolicy",
    "ProgramPolicy",
    "ReplayPolicy",
    "ScriptedPolicy",
    "ThinkerPolicy",
    "WikiOraclePolicy",
    "make_policy",
]


def _oracle(env: Any, **options: Any) -> Policy:
    oracle = WikiOraclePolicy if isinstance(env.tasks, SyntheticWiki) else OraclePolicy
    return oracle(env.tasks, env.dialect, **options)


def _thinker(env: Any) -> Policy:
    return ThinkerPolicy(env.tasks, env.dialect)


def _programs(env: Any, path: str) -> Policy:
    return ProgramPolicy.from_file(path, env.tasks, env.dialect)


def _replay(env: Any, path: str) -> Policy:
    return ReplayPolicy.from_file(path)


def _scripted(env: Any, replies: list[str]) -> Policy:
    return ScriptedPolicy(replies)


def _hf(env: Any, **options: Any) -> Policy:
    from react_envs.agents.policies.hf import HFPolicy

    return HFPolicy(**options)


def _openai(env: Any, **options: Any) -> Policy:
    from react_envs.agents.policies.openai import OpenAIPolicy

    return OpenAIPolicy(**options)


POLICIES: dict[str, Callable[..., Policy]] = {
    "oracle": _oracle,
    "thinker": _thinker,
    "replay": _replay,
    "programs": _programs,
    "scripted": _scripted,
    "hf": _hf,
    "openai": _openai,
}
"""What a policy's name stands for: a function of the environment and keyword options."""


def make_policy(name: str, env: gym.Env[str, str], **options: Any) -> Policy:
    """The policy called `name`, or what `module:function` makes of `(env, **options)`.

    Raises:
        ArgumentError: for an unknown name, or options that the policy does not take.
    """
    if ":" in name:
        module, _, attribute = name.partition(":")
        try:
            make = getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise ArgumentError(f"agent {name!r} cannot be imported: {error}") from error
    elif name in POLICIES:
        make = POLICIES[name]
    else:
        known = ", ".join(POLICIES)
        raise ArgumentError(f"unknown agent {name!r}; known: {known}, or module:function")
    try:
        policy: Policy = make(env.unwrapped, **options)
    except TypeError as error:
        raise ArgumentError(f"agent {name!r} does not take {sorted(options)}: {error}") from error
    return policy

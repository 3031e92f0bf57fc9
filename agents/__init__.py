"""Agents: policies that write the turns of an episode. `react_envs.rollout.play` is the loop."""

from __future__ import annotations

from react_envs.agents.policies import POLICIES, make_policy

__all__ = ["POLICIES", "make_policy"]

"""Simulators without a model: fidelity to the real tool, and what the oracle makes of it.

`python benchmarks/simulators.py` prints the table of benchmarks/README.md; seconds of work.
"""

from __future__ import annotations

from typing import Any

import gymnasium as gym
from rich.console import Console
from rich.table import Table

import react_envs  # noqa: F401 - registers the environments
from react_envs.agents.learners import simulator_fidelity
from react_envs.agents.policies import make_policy
from react_envs.rollout import play
from react_envs.simulators import NoisySimulator

ENVIRONMENTS: dict[str, dict[str, Any]] = {
    "ReactGSM8K-v0": {},
    "ReactWiki-v0": {"mode": "pages"},
    "ReactSimulated-v0": {},
}
EPISODES = 100


def main() -> None:
    table = Table(title=f"noisy simulator, {EPISODES} episodes of the oracle")
    for column in ("environment", "noise", "exact", "F1 of facts", "oracle EM"):
        table.add_column(column)
    for env_id, options in ENVIRONMENTS.items():
        for noise in (0.0, 0.25, 0.5, 1.0):

            def make(
                simulate: object, env_id: str = env_id, options: dict[str, Any] = options
            ) -> gym.Env[str, str]:
                return gym.make(env_id, simulate=simulate, **options)

            near = simulator_fidelity(NoisySimulator(noise=noise), make, range(EPISODES))
            simulator = NoisySimulator(noise=noise)
            env = make(simulator)
            policy = make_policy("oracle", env)
            right = [play(env, policy, index).reward or 0.0 for index in range(EPISODES)]
            env.close()
            table.add_row(
                env_id,
                f"{noise:.2f}",
                f"{near.exact:.3f}",
                f"{near.fact_f1:.3f}",
                f"{sum(right) / EPISODES:.2f}",
            )
    Console(width=110).print(table)


if __name__ == "__main__":
    main()

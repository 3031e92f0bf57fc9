"""Simulators play tools: a language model or a script, behind the tool's own contract."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import gymnasium as gym

from react_envs.errors import ArgumentError
from react_envs.simulators.continuing import ContinuingSimulator
from react_envs.simulators.fidelity import Fidelity, facts_of, fidelity
from react_envs.simulators.memory import Memory
from react_envs.simulators.noise import NoiseSchedule
from react_envs.simulators.schema import SchemaSimulator
from react_envs.simulators.scripted import NoisySimulator
from react_envs.simulators.simulated_tool import SimulatedTool
from react_envs.simulators.simulator import PolicySimulator, SimulatedCall, Simulator
from react_envs.simulators.zerosearch import ZeroSearchSimulator
from react_envs.tools import Finish, Think, Tool

__all__ = [
    "SIMULATORS",
    "ContinuingSimulator",
    "Fidelity",
    "Memory",
    "NoiseSchedule",
    "NoisySimulator",
    "PolicySimulator",
    "SchemaSimulator",
    "SimulatedCall",
    "SimulatedTool",
    "Simulator",
    "ZeroSearchSimulator",
    "facts_of",
    "fidelity",
    "make_simulator",
    "set_training_step",
    "simulate_tools",
]

SIMULATORS: dict[str, Callable[..., Simulator]] = {
    "noisy": NoisySimulator,
    "lying": lambda **limits: NoisySimulator(noise=1.0, **limits),
    "schema": SchemaSimulator,
    "zerosearch": ZeroSearchSimulator,
    "continue": ContinuingSimulator,
}
"""What a simulator's name stands for: a function of keyword options."""


def make_simulator(simulate: str | Mapping[str, Any] | Simulator) -> Simulator:
    """The simulator that `simulate=` names: a name, `{"name": ..., **options}` or an object.

    Raises:
        ArgumentError: for an unknown name or options that the simulator does not take.

    >>> make_simulator({"name": "noisy", "noise": 0.25}).noise.at(0.5)
    0.25
    """
    if isinstance(simulate, Simulator):
        return simulate
    options = {"name": simulate} if isinstance(simulate, str) else simulate
    if isinstance(options, Mapping):
        options = dict(options)
        name = options.pop("name", None)
        if isinstance(name, str) and name in SIMULATORS:
            try:
                return SIMULATORS[name](**options)
            except TypeError as error:
                raise ArgumentError(f"simulator {name!r} takes other options: {error}") from error
    raise ArgumentError(
        f"expected simulate to be one of {', '.join(SIMULATORS)}, "
        f'{{"name": ..., **options}} or a Simulator, got {simulate!r}'
    )


def simulate_tools(tools: Iterable[Tool], simulate: Any) -> list[Tool]:
    """The tools, played by a simulator; `{"only": [...]}` in the mapping names those that are.

    `finish` and `think` are the agent's own and stay as they are.

    Raises:
        ArgumentError: as `make_simulator`, and for the name of no tool.
    """
    tools = list(tools)
    only: Any = None
    if isinstance(simulate, Mapping):
        simulate = dict(simulate)
        only = simulate.pop("only", None)
    simulator = make_simulator(simulate)
    names = [tool.name for tool in tools if not isinstance(tool, Finish | Think)]
    chosen = names if only is None else only
    if not isinstance(chosen, list | tuple) or not chosen or any(n not in names for n in chosen):
        raise ArgumentError(
            f"expected simulate to name tools of {', '.join(names) or 'none'}, got {chosen!r}"
        )
    return [SimulatedTool(tool, simulator) if tool.name in chosen else tool for tool in tools]


def set_training_step(env: gym.Env[str, str], step: int, steps: int) -> None:
    """Tell the simulators of an environment's tools that training is at `step` of `steps`.

    Raises:
        ArgumentError: unless `0 <= step <= steps` and `steps` is positive.
    """
    if not 0 <= step <= steps or steps < 1:
        raise ArgumentError(f"expected a step from 0 to steps, got {step} of {steps}")
    tools: Iterable[Tool] = getattr(env.unwrapped, "tool_list", ())
    for tool in tools:
        if isinstance(tool, SimulatedTool):
            tool.simulator.progress = step / steps

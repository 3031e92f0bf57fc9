"""A simulator without a model: the real tool's result, with some of its facts made false."""

from __future__ import annotations

import re
from random import Random
from typing import Any

from react_envs.simulators.noise import ZEROSEARCH, NoiseSchedule
from react_envs.simulators.simulator import SimulatedCall, Simulator
from react_envs.tasks.synthetic_wiki import world_of
from react_envs.tools import call_tool
from react_envs.types import ToolResult

__all__ = ["NoisySimulator"]

ADDED = 7


class NoisySimulator(Simulator):
    """Works offline, costs nothing, and is wrong as often as it is told to be.

    The tool itself is asked. Then, with the probability that `noise` has at this point of
    training, its result is made false: every number grows by 7, and in a synthetic world every
    name but those of the call becomes the next one of the same kind. An agent that uses its
    tool is misled by it, one that knows the world by heart is not.

    Memory spares the tool in a replay alone: else it is asked each time, for it may have a state.

    Args:
        noise: a share, or a `NoiseSchedule` (also as a mapping); ZeroSearch's by default, which
            begins with none. 1 is a tool that always lies.
        **limits: see `Simulator`.
    """

    def __init__(self, *, noise: Any = ZEROSEARCH, **limits: Any) -> None:
        super().__init__(**limits)
        self.noise = NoiseSchedule.of(noise)

    def prompt(self, call: SimulatedCall) -> str:
        # what a tool with a state says depends on all that was done before
        noise = self.noise.at(self.progress)
        return f"{noise} {call.seed} {call.tool.name} {call.arguments} {call.episode}"

    def recall(self, prompt: str, call: SimulatedCall) -> ToolResult | None:
        result = super().recall(prompt, call)
        if result is not None and self.memory is not None and self.memory.mode != "replay":
            call_tool(call.tool, call.arguments)  # later calls may need the state it leaves
        return result

    def write(self, prompt: str, call: SimulatedCall) -> ToolResult:
        result = call_tool(call.tool, call.arguments)
        if not result.ok or Random(call.seed).random() >= self.noise.at(self.progress):
            return result
        # Python reads no longer numbers
        text = re.sub(r"\d{1,4000}", lambda number: str(int(number[0]) + ADDED), result.text)
        return ToolResult(_renamed(text, call), meta={"simulated": True, "noisy": True})


def _renamed(text: str, call: SimulatedCall) -> str:
    if "world" not in call.task.metadata:
        return text
    world = world_of(call.task).world
    asked = " ".join(map(str, call.arguments.values())).casefold()
    by_kind: dict[str, list[str]] = {}
    for title, kind in zip(world.titles, world.kinds, strict=True):
        by_kind.setdefault(kind, []).append(title)
    other: dict[str, str] = {}
    for titles in by_kind.values():
        other.update(zip(titles, [*titles[1:], titles[0]], strict=True))
    longest_first = sorted(other, key=len, reverse=True)
    names = re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, longest_first)) + r")(?!\w)")
    return names.sub(lambda n: n[0] if n[0].casefold() in asked else other[n[0]], text)

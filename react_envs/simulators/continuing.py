"""AutoCoA's simulated environment: the model continues the episode inside the result's tags."""

from __future__ import annotations

from dataclasses import replace

from react_envs.simulators.simulator import PolicySimulator, SimulatedCall
from react_envs.types import Context

__all__ = ["ContinuingSimulator"]


class ContinuingSimulator(PolicySimulator):
    """The policy itself, or an SFT checkpoint, writes what the tool says.

    It reads the episode so far and what opens a result in the dialect, and writes until what
    closes it (arXiv 2503.06580, RL stage 1). The policy continues texts: of `HFPolicy`, mode
    `"completion"`. A model that was trained on results (`SFT(train=("agent", "env"))`) knows
    the form; what it says is as true as its memory.

    Not covered: a result of several lines in a dialect whose results end with the line, such as
    `react`: it is its first line.
    """

    def prompt(self, call: SimulatedCall) -> str:
        # a model's tokens begin with the blank, so the prompt does not end with it
        return (call.episode + call.opening).rstrip(" ")

    def context(self, prompt: str, call: SimulatedCall) -> Context:
        """The episode in the very tokens of the agent, where the policy can take them."""
        context = super().context(prompt, call)
        encode = getattr(self.policy, "encode", None)
        if call.episode_ids is None or encode is None:
            return context
        ids = (*call.episode_ids, *encode(call.opening.rstrip(" ")))
        return replace(context, prompt_token_ids=ids)

    def stop(self, call: SimulatedCall) -> tuple[str, ...]:
        # its first line: a chat model's turn ends before the header that a dialect writes next
        return (call.closing.strip().partition("\n")[0] or "\n",)

    def read(self, written: str, call: SimulatedCall) -> str:
        (end,) = self.stop(call)
        return written.partition(end)[0].strip()

"""The `finish` tool: answering by a call, for agents that only speak in calls."""

from __future__ import annotations

from react_envs.tools.tool import Tool

__all__ = ["Finish"]


class Finish(Tool):
    """Ends the episode: the environment takes the argument as the agent's answer.

    It is the one tool that is never run: what ends an episode is text that the agent wrote.
    """

    name = "finish"

    def __call__(self, answer: str) -> str:
        """Give the final answer and end the task.

        Args:
            answer: the answer alone
        """
        raise RuntimeError("the environment reads this call and never runs it")

"""Scripted policies: replies from a list or a function, for tests and demonstrations."""

from __future__ import annotations

from collections.abc import Sequence

from react_envs.errors import PolicyFailure
from react_envs.types import Context

__all__ = ["ScriptedPolicy"]


class ScriptedPolicy:
    """Says its replies one after another, from the first in every episode.

    Args:
        replies: the turns; a policy that runs out of them raises `PolicyFailure`.

    >>> policy = ScriptedPolicy(["Final Answer: 4"])
    >>> policy(Context("2 + 2?", (), (), {}))
    'Final Answer: 4'
    """

    def __init__(self, replies: Sequence[str]) -> None:
        self.replies = list(replies)

    def __call__(self, context: Context) -> str:
        turn = len(context.turns)
        if turn >= len(self.replies):
            raise PolicyFailure(
                f"the script has {len(self.replies)} replies, the episode wants one more",
                kind="script_ended",
            )
        return self.replies[turn]

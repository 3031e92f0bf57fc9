"""The oracle: solves problems from their worked solutions, through the real tools."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, get_args

from react_envs.dialects import Dialect
from react_envs.errors import ArgumentError
from react_envs.rewards.numeric import extract_number
from react_envs.tasks import TaskSet
from react_envs.types import Context, Task, ToolCall

__all__ = ["Annotation", "OraclePolicy", "calculator_annotations"]

Annotation = tuple[str, str]
"""Expression and value of a calculator annotation: `<<48/2=24>>` is `("48/2", "24")`."""

Thoughts = Literal["plain", "evidence", "none"]
"""What an oracle writes before it acts."""


def check_thoughts(thoughts: str) -> None:
    """Raise an ArgumentError unless `thoughts` is one of `Thoughts`."""
    if thoughts not in get_args(Thoughts):
        raise ArgumentError(f"thoughts must be one of {get_args(Thoughts)}, got {thoughts!r}")


def calculator_annotations(solution: str) -> list[Annotation]:
    """The calculator annotations of a GSM8K-style solution, in order.

    >>> calculator_annotations("48/2 = <<48/2=24>>24 clips\\n#### 24")
    [('48/2', '24')]
    """
    found = re.findall(r"<<([^<>=]*)=([^<>]*)>>", solution)
    return [(expression.strip(), value.strip()) for expression, value in found]


class OraclePolicy:
    """Computes each annotated expression with the `python` tool, one a turn, then answers.

    If the last annotated value is the gold answer (it nearly always is), the answer is what
    the *tool* printed for it, so a broken tool costs the oracle its score; otherwise it is
    the gold answer. The oracle is given the task set: no environment tells gold answers.

    Args:
        tasks: the task set of the environment that is played.
        dialect: the dialect of that environment.
        thoughts: `"plain"` words before a call or an answer, or `"none"`; the `"evidence"` of
            a computation is the computation, so that is plain here.
    """

    def __init__(self, tasks: TaskSet, dialect: Dialect, thoughts: Thoughts = "plain") -> None:
        check_thoughts(thoughts)
        if tasks[0].solution is None:
            raise ArgumentError(
                "the oracle plays worked solutions and this data set has none; "
                "use GSM8K or the synthetic problems"
            )
        self.task = lru_cache(maxsize=256)(tasks.__getitem__)  # it is asked for at every turn
        self.dialect = dialect
        self.thoughts = thoughts

    def __call__(self, context: Context) -> str:
        task = self.task(context.info["index"])
        steps = calculator_annotations(task.solution or "")
        turn = len(context.turns)
        if turn < len(steps):
            expression, _ = steps[turn]
            call = ToolCall("python", {"code": f"print({expression})"})
            return self.dialect.format_call(
                call, self._thought(f"I need {expression}."), context.prompt
            )
        answer = self._answer(task, steps, context)
        return self.dialect.format_answer(
            answer, self._thought("I know the answer."), context.prompt
        )

    def _thought(self, text: str) -> str:
        return "" if self.thoughts == "none" else text

    def _answer(self, task: Task, steps: list[Annotation], context: Context) -> str:
        gold = task.answers[0]
        if steps and extract_number(steps[-1][1]) == extract_number(gold):
            return (context.turns[-1].tool_result or "").strip()
        return gold

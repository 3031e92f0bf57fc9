"""The thinker: knows a task's solution by heart, and answers without a tool."""

from __future__ import annotations

from react_envs.agents.policies.oracle import calculator_annotations
from react_envs.agents.policies.wiki_oracle import needs_of
from react_envs.dialects import Dialect
from react_envs.errors import ArgumentError
from react_envs.tasks import TaskSet
from react_envs.types import Context, Task

__all__ = ["ThinkerPolicy"]


class ThinkerPolicy:
    """Writes the steps of the worked solution as its thought, then the answer: no action.

    The chain of thought beside the oracle's chain of actions; a student learns from it what it
    is to know by heart.

    Args:
        tasks: the task set of the environment that is played.
        dialect: the dialect of that environment.
    """

    def __init__(self, tasks: TaskSet, dialect: Dialect) -> None:
        if not _steps(tasks[0]):
            raise ArgumentError(
                "the thinker plays worked solutions and this data set has none; "
                "use GSM8K or synthetic tasks"
            )
        self.tasks = tasks
        self.dialect = dialect

    def __call__(self, context: Context) -> str:
        task = self.tasks[context.info["index"]]
        return self.dialect.format_answer(task.answers[0], _steps(task), context.prompt)


def _steps(task: Task) -> str:
    """The solution's steps on a line: sentences of an encyclopedia, or sums."""
    solution = task.solution or ""
    sums = [f"{expression}={value}" for expression, value in calculator_annotations(solution)]
    return " ".join([need.sentence for need in needs_of(solution) if need.sentence] or sums)

"""Replay: recorded trajectories, or recorded programs run through the real Python tool."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from react_envs.dialects import Dialect
from react_envs.errors import ArgumentError, PolicyFailure
from react_envs.tasks import TaskSet
from react_envs.types import Context, StopReason, ToolCall

__all__ = ["ProgramPolicy", "ReplayPolicy"]


class ReplayPolicy:
    """Says again what an agent said in recorded episodes.

    Args:
        actions: the turns of each episode, by task index.
        context_full: indices of episodes that ended because the agent's context was full.

    Raises:
        PolicyFailure: when played on an index without a record, or past its last turn; of kind
            `"context_length"` where the recorded agent failed so itself.
    """

    def __init__(
        self, actions: Mapping[int, Sequence[str]], context_full: Collection[int] = ()
    ) -> None:
        self.actions = dict(actions)
        self.context_full = frozenset(context_full)

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> ReplayPolicy:
        """From a `results.jsonl` of `react-envs eval`, or a file of `wrappers.Record`."""
        actions, context_full = {}, set()
        for record in _lines(path):
            turns = record.get("trace", record.get("turns"))
            if not isinstance(turns, list) or "index" not in record:
                raise ArgumentError(
                    f"{path}: expected lines with `index` and `trace` (results.jsonl) or `turns` "
                    f"(Record), got the keys {sorted(record)}"
                )
            actions[record["index"]] = [turn["kept"] + turn["dropped"] for turn in turns]
            if record.get("stop_reason") == StopReason.CONTEXT_LENGTH:
                context_full.add(record["index"])
        return cls(actions, context_full)

    def __call__(self, context: Context) -> str:
        index = context.info["index"]
        turns = self.actions.get(index, ())
        if len(context.turns) >= len(turns) and index in self.context_full:
            raise PolicyFailure("the recorded context was full", StopReason.CONTEXT_LENGTH)
        if len(context.turns) >= len(turns):
            raise PolicyFailure(
                f"the record of task {context.info['index']} has {len(turns)} turns, "
                "the episode wants one more",
                kind="record_ended",
            )
        return turns[len(context.turns)]


class ProgramPolicy:
    """Runs the recorded program of each question and answers with what it prints last.

    A program that fails, or prints nothing, gives "no result" as the answer: it is graded,
    and wrong.

    Args:
        programs: program by question text.
        tasks: the task set that is played (to find a question by index).
        dialect: the dialect of the environment.
    """

    def __init__(self, programs: Mapping[str, str], tasks: TaskSet, dialect: Dialect) -> None:
        self.programs = {_plain(question): program for question, program in programs.items()}
        self.tasks = tasks
        self.dialect = dialect

    @classmethod
    def from_file(
        cls, path: str | os.PathLike[str], tasks: TaskSet, dialect: Dialect
    ) -> ProgramPolicy:
        """From lines with `question` and `generated`, as Program of Thoughts published them.

        Their programs leave the result in `ans`; a line that prints it is added. Other lines,
        such as the prompt that theirs begins with, are passed over.
        """
        lines = [line for line in _lines(path) if "generated" in line]
        if not lines:
            raise ArgumentError(
                f"{path}: expected lines with `question` and `generated`, found none"
            )
        programs = {line["question"]: line["generated"][0] + "\nprint(ans)" for line in lines}
        return cls(programs, tasks, dialect)

    def __call__(self, context: Context) -> str:
        if not context.turns:
            index = context.info["index"]
            program = self.programs.get(_plain(self.tasks[index].question))
            if program is None:
                raise PolicyFailure(f"no program for task {index}", kind="no_record")
            call = ToolCall("python", {"code": program})
            return self.dialect.format_call(call, before=context.prompt)
        result = context.turns[-1]
        printed = (result.tool_result or "").strip() if result.tool_ok else ""
        answer = printed.splitlines()[-1] if printed else "no result"
        return self.dialect.format_answer(answer, before=context.prompt)


def _plain(question: str) -> str:
    return " ".join(question.split())


def _lines(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    text = Path(path).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.split("\n") if line.strip()]

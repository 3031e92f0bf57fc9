"""The oracle of synthetic wiki questions: finds the solution's sentences with the real tools."""

from __future__ import annotations

import re
from collections.abc import Generator
from functools import lru_cache
from typing import NamedTuple

from react_envs.agents.policies.oracle import Thoughts, check_thoughts
from react_envs.dialects import Dialect
from react_envs.errors import ArgumentError
from react_envs.tasks import TaskSet
from react_envs.types import Context, Task, ToolCall

__all__ = ["Need", "WikiOraclePolicy", "needs_of"]

Reading = Generator[ToolCall, str, bool]
"""Calls out, results in; True at the end if what was looked for stood in a result."""

NOT_FOUND = "not found"


class Need(NamedTuple):
    """A line of a solution: a sentence to be found on a page."""

    title: str
    sentence: str
    """Empty if the point is that the page does not tell it."""
    mention: str
    """How the sentence names what comes next."""


def needs_of(solution: str) -> list[Need]:
    """The sentences that a solution of `SyntheticWiki` asks for.

    >>> for need in needs_of("[Ro] Ro lies on the Ti. => Ti\\n[Ti] (length is not told) => "):
    ...     print(tuple(need))
    ('Ro', 'Ro lies on the Ti.', 'Ti')
    ('Ti', '', '')
    """
    found = re.findall(r"^\[(.*?)\] (.*) => (.*)$", solution, re.MULTILINE)
    return [Need(t, "" if s.startswith("(") else s, m) for t, s, m in found]


class WikiOraclePolicy:
    """Reads what the solution lists, and answers rightly only if every sentence was shown to it.

    It searches for what the last sentence called the next thing (a second name, one of several
    homonyms) before it asks for the title itself, and looks sentences up that the first five do
    not have. What must be computed is computed by `python`, if there is one, and the answer is
    what that printed. A broken tool costs the oracle its score.

    Args:
        tasks: the task set of the environment that is played.
        dialect: the dialect of that environment.
        thoughts: what it writes before a call or an answer: `"plain"` words, the `"evidence"`
            that the last result gave, or `"none"`.
    """

    def __init__(self, tasks: TaskSet, dialect: Dialect, thoughts: Thoughts = "plain") -> None:
        check_thoughts(thoughts)
        if not needs_of(tasks[0].solution or ""):
            raise ArgumentError("the wiki oracle plays SyntheticWiki questions only")
        self.task = lru_cache(maxsize=256)(tasks.__getitem__)  # it is asked for at every turn
        self.dialect = dialect
        self.thoughts = thoughts

    def __call__(self, context: Context) -> str:
        task = self.task(context.info["index"])
        names = {tool["function"]["name"] for tool in context.info["tools"]}
        playing = _Play(task, names)
        play = playing.play()
        try:
            call = next(play)
            for turn in context.turns:
                playing.evidence = ""
                call = play.send(turn.tool_result or "")
        except StopIteration as end:
            thought = self._thought("I know the answer.", playing.evidence)
            return self.dialect.format_answer(end.value, thought, context.prompt)
        thought = self._thought("I look further.", playing.evidence)
        return self.dialect.format_call(call, thought, context.prompt)

    def _thought(self, plain: str, evidence: str) -> str:
        return {"plain": plain, "evidence": evidence, "none": ""}[self.thoughts]


class _Play:
    """One episode as a conversation with the tools."""

    def __init__(self, task: Task, names: set[str]) -> None:
        self._task, self._names = task, names
        self._solution = task.solution or ""
        self.evidence = ""
        """The sentence that was looked for and stood in the last result."""

    def play(self) -> Generator[ToolCall, str, str]:
        mention = ""
        for number, need in enumerate(needs_of(self._solution)):
            if not (yield from self._read(need, mention, number)) and need.sentence:
                return NOT_FOUND
            mention = need.mention
        expression = re.search(r"^Compute: (.*)$", self._solution, re.MULTILINE)
        if expression and "python" in self._names:
            printed = yield ToolCall("python", {"code": f"print({expression[1]})"})
            return printed.strip()
        return self._task.answers[0]

    def _read(self, need: Need, mention: str, number: int) -> Reading:
        if "lookup" not in self._names:
            return (yield from self._search_passages("search", need))
        if "retrieve" in self._names and number % 2:
            return (yield from self._search_passages("retrieve", need))
        return (yield from self._open_page(need, mention))

    def _open_page(self, need: Need, mention: str) -> Reading:
        # what a list or a number mentions is no title
        follows = mention and "," not in mention and not mention.isdigit()
        for title in dict.fromkeys((mention, need.title) if follows else (need.title,)):
            shown = yield ToolCall("search", {"entity": title})
            if self._has(shown, need):
                return True
            if shown.startswith("Could not find") or not need.sentence:
                continue
            while not shown.startswith("No more results."):
                shown = yield ToolCall("lookup", {"keyword": _end(need.sentence)})
                if self._has(shown, need):
                    return True
        return False

    def _search_passages(self, tool: str, need: Need) -> Reading:
        for query in (f"{need.title} {need.sentence}", need.sentence, need.title):
            if not query:
                continue
            shown = yield ToolCall(tool, {"query": query})
            if self._has(shown, need):
                return True
        return False

    def _has(self, shown: str, need: Need) -> bool:
        # ReAct's own way to cut sentences doubles a full stop now and then
        found = bool(need.sentence) and need.sentence.rstrip(".") in shown
        self.evidence = need.sentence if found else ""
        return found


def _end(sentence: str) -> str:
    """The last words of a sentence, which few others have."""
    words = sentence.rstrip(".").split(" ")
    return " ".join(words[-5:])

"""ReactEnv: one task, one agent that writes text, tools that answer in text."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np

from react_envs.dialects import Dialect, make_dialect
from react_envs.errors import ArgumentError, ToolError
from react_envs.spaces import TextSpace
from react_envs.tasks import TaskList, TaskSet
from react_envs.tools import Finish, Tool, call_tool, make_tools
from react_envs.tools.schema import bind_arguments
from react_envs.types import Message, ParsedTurn, StopReason, Task, ToolCall, ToolResult

__all__ = ["ReactEnv"]


class ReactEnv(gym.Env[str, str]):
    """Reason, call tools, answer: every action is the text of one turn.

    `reset` returns the whole prompt; `step` returns *only the new text*. The context of a
    policy that completes text is therefore `prompt + kept + observation + kept + ...`, and
    of one that chats, the messages of `reset` plus those of each step. Rewards are 0.0: they
    are given by wrappers (`react_envs.wrappers`), which `gym.make` adds.

    Args:
        tasks: the problems (see `react_envs.tasks.load_tasks`).
        tools: names, `{"name": ..., **options}`, typed functions or `Tool` objects.
        dialect: how calls and answers are written: a name, `{"name": ..., **options}` or
            an object.
        instructions: a sentence about the task, put before the dialect's own.
        render_mode: `"ansi"`: `render()` returns the episode so far as readable text.

    `info` of `reset`: `messages`, `stop`, `tools` (JSON schemas), `dataset`, `split`, `index`,
    `fingerprint`. `info` of `step`:

    - `kept`, `dropped`: what of the action stays in the context, and the rest;
    - `fabricated_observation`: the agent wrote an observation itself (cut, in `dropped`);
    - `parse_error`: what was wrong with the call, also told to the agent, or None;
    - `unfinished`: the agent is asked to go on with this turn (`react_paper` does);
    - `tool_call` (a `ToolCall`), `tool_ok`, `tool_result`, `tool_failure` (kind of the
      world's failure), `tool_meta`: None or empty where no tool ran;
    - `answer`: the agent's answer, on the last step only, else None;
    - `messages`: the chat messages to append;
    - `stop_reason`: None while the episode runs;
    - `gold`, `solution`: on the last step only.
    """

    metadata = {"render_modes": ["ansi"], "render_fps": 1}  # noqa: RUF012 - Gymnasium wants it so

    def __init__(
        self,
        tasks: TaskSet,
        tools: Iterable[str | Mapping[str, Any] | Tool | Callable[..., Any]] = (),
        dialect: str | Mapping[str, Any] | Dialect = "react",
        *,
        instructions: str = "",
        render_mode: str | None = None,
    ) -> None:
        if render_mode not in (None, "ansi"):
            raise ArgumentError(f"render_mode must be None or 'ansi', actually: {render_mode!r}")
        self.tasks = tasks
        shared: dict[int, Any] = {}  # what two tools have in common stays so
        self.tools = {tool.name: _own_copy(tool, shared) for tool in make_tools(tools)}
        self.dialect = make_dialect(dialect).for_tools(self.tool_list)
        self.render_mode = render_mode
        self.observation_space = TextSpace()
        self.action_space = TextSpace()
        self.instructions = "\n\n".join(
            part for part in (instructions, self.dialect.instructions(self.tool_list)) if part
        )
        self.task: Task | None = None
        self._running = False
        self._before = self._text = ""
        self._must_answer = self._announced = self._refusing = False
        self._announcement = ""
        self._rendered: list[str] = []

    @property
    def tool_list(self) -> list[Tool]:
        """The tools in the order in which they were given."""
        return list(self.tools.values())

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """Begin an episode: `options={"index": i}` or `{"task": Task}` chooses it, else chance.

        Raises:
            ArgumentError: for any other option.
            IndexError: if the index lies outside the split.
        """
        super().reset(seed=seed)
        self._running = False
        self.task = self._choose(options or {})
        tool_seed = int(self.np_random.integers(2**31))
        for tool in self.tool_list:
            tool.start(self.task, tool_seed)
        self._must_answer = self._announced = self._refusing = False
        self._announcement = ""
        prompt = self.dialect.prompt(self.instructions, self.task.question).lstrip("\n")
        self._before = self._text = prompt
        self._rendered = [prompt.rstrip("\n")]
        self._running = True
        return prompt, {
            "messages": [
                *([{"role": "system", "content": self.instructions}] if self.instructions else []),
                {"role": "user", "content": self.task.question},
            ],
            "stop": list(self.dialect.stop),
            "tools": [tool.spec for tool in self.tool_list],
            "dataset": self.task.dataset,
            "split": self.task.split,
            "index": self.task.index,
            "fingerprint": self._fingerprint(options or {}),
        }

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Run one turn: parse the text, then call the tool or take the answer.

        Any string is a legal action: what the agent does wrong comes back as an observation.

        Raises:
            ArgumentError: if `action` is not a string.
            gymnasium.error.ResetNeeded: before `reset` and after the end of an episode.
        """
        self._check(action)
        turn = self.dialect.parse(action, self._before)
        info = self._act(turn, action)
        if info["answer"] is not None:
            return self._finish(turn, info)
        return self._observe(turn, info)

    def _act(self, turn: ParsedTurn, action: str) -> dict[str, Any]:
        """Do what the turn says; the info of the step, `answer` set if it was an answer."""
        info: dict[str, Any] = {
            "kept": turn.kept,
            "dropped": turn.dropped,
            "fabricated_observation": turn.fabricated_observation,
            "parse_error": turn.error,
            "unfinished": turn.unfinished,
            "tool_call": None,
            "tool_ok": None,
            "tool_result": None,
            "tool_failure": None,
            "tool_meta": {},
            "answer": turn.answer,
            "stop_reason": None,
        }
        if turn.call is None:
            return info
        info["tool_call"] = turn.call
        try:
            tool, arguments = self._resolve(turn.call.name, turn.call.arguments)
        except ToolError as error:
            return {**info, "parse_error": f"Error: {error}"}
        info["tool_call"] = ToolCall(tool.name, arguments)
        if isinstance(tool, Finish):
            return {**info, "answer": str(arguments["answer"])}
        if self._refusing:
            return {**info, "parse_error": self._announcement}
        if self._must_answer:
            return {**info, "parse_error": "Error: no further tool calls; an answer was expected."}
        observe = partial(self.dialect.observation, kept=turn.kept, before=self._before)
        kept = turn.kept if turn.dropped else action
        tool.overhear(self._text + turn.kept, kept, observe)
        result: ToolResult = call_tool(tool, arguments)
        return {
            **info,
            "tool_ok": result.ok,
            "tool_result": result.text,
            "tool_failure": result.failure,
            "tool_meta": dict(result.meta),
        }

    def _resolve(self, name: str, arguments: Any) -> tuple[Tool, dict[str, Any]]:
        """The tool of that name and its checked arguments; `ToolError` if there is no such."""
        tool = self.tools.get(name)
        if tool is None:
            known = ", ".join(self.tools) or "none"
            raise ToolError(f"unknown tool {name[:80]!r}; the tools are: {known}")
        return tool, bind_arguments(tool.parameters, arguments)

    def _observe(
        self, turn: ParsedTurn, info: dict[str, Any]
    ) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Give the agent its tool's result, or the error of its turn."""
        error = info["parse_error"] is not None
        text = info["parse_error"] if error else info["tool_result"]
        note = "" if turn.unfinished else self._announce(text)
        observation = self.dialect.observation(text, turn.kept, self._before, error, note)
        self._before = observation
        self._text += turn.kept + observation
        messages = [_assistant(turn), self.dialect.message(text, error, note)]
        self._rendered += [_labelled("agent", turn.kept), _labelled("environment", observation)]
        return observation, 0.0, False, False, {**info, "messages": messages}

    def _finish(
        self, turn: ParsedTurn, info: dict[str, Any]
    ) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """End the episode: an answer was given."""
        self._rendered += [_labelled("agent", turn.kept), f"[answer: {info['answer']}]"]
        end = {"messages": [_assistant(turn)], "stop_reason": StopReason.ANSWER, **self.reveal()}
        return "", 0.0, True, False, {**info, **end}

    def require_answer(self, note: str, *, refuse: bool = False) -> None:
        """Let the next observation end with `note`; calls made after it are not run.

        With `refuse` the call of the next turn is not run either: `note` stands for its result.
        For wrappers that make the last turn an answer (`StepLimit(on_limit="answer")`).
        """
        self._announcement, self._announced, self._refusing = note, True, refuse

    def _announce(self, text: str) -> str:
        """What is to be said beside `text` of the turn that must answer, if one comes next."""
        note = "" if text == self._announcement else self._announcement
        self._must_answer |= self._announced
        self._announcement, self._announced, self._refusing = "", False, False
        return note

    def reveal(self) -> dict[str, Any]:
        """End the episode, and give its gold answers and solution for the last `info`.

        No further step is taken after it, so nobody who knows the answer can still give it.
        """
        assert self.task is not None
        self._running = False
        return {"gold": list(self.task.answers), "solution": self.task.solution}

    def render(self) -> str | None:
        """The episode so far as text, None without `render_mode="ansi"`."""
        return "\n\n".join(self._rendered) if self.render_mode == "ansi" else None

    def close(self) -> None:
        """Close the tools; the environment may be reset and used again."""
        with ExitStack() as closing:  # all of them, though one may raise
            for tool in self.tool_list:
                closing.callback(tool.close)

    def _choose(self, options: dict[str, Any]) -> Task:
        if not options:
            return self.tasks[int(self.np_random.integers(len(self.tasks)))]
        (key, value), *more = options.items()
        whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
        if key == "index" and whole and not more:
            return self.tasks[int(value)]
        if key == "task" and isinstance(value, Task) and not more:
            return value
        raise ArgumentError(
            f'expected options={{"index": int}} or {{"task": Task}}, got {options!r}'
        )

    def _fingerprint(self, options: dict[str, Any]) -> str:
        """Hash of the content that the task is from: the set's, or that of a task given."""
        own = options.get("task")
        return self.tasks.fingerprint if own is None else TaskList([own]).fingerprint

    def _check(self, action: Any) -> None:
        if not isinstance(action, str):
            raise ArgumentError(f"expected the action to be a str, got {type(action).__name__}")
        if not self._running:
            raise gym.error.ResetNeeded("the episode is over or never began: call reset() first")


def _own_copy(tool: Tool, copied: dict[int, Any]) -> Tool:
    """A deep copy: two environments given one tool must not share its episode."""
    try:
        return copy.deepcopy(tool, copied)
    except TypeError as error:
        raise ArgumentError(
            f"tool {tool.name!r} cannot be copied for this environment ({error}); make what it "
            "holds in `start`, or write its __deepcopy__"
        ) from error


def _assistant(turn: ParsedTurn) -> Message:
    return {"role": "assistant", "content": turn.kept}


def _labelled(who: str, text: str) -> str:
    return f"[{who}]\n{text.strip()}"

r"""How an agent used its tools: 1.0 where it did the bad thing, for negative weights.

The cases are those that AgentJet's math agent is trained out of (github.com/modelscope/AgentJet,
tutorial/example_math_agent). All are facts of the agent's own turns, with two exceptions, which
a tool's text can only make *worse* for the agent: whether a call printed anything, and whether
the result of a call was used.
"""

from __future__ import annotations

import re

from react_envs.types import Episode, Turn

__all__ = [
    "answer_before_result",
    "call_and_answer",
    "call_without_print",
    "malformed_call",
    "result_unused",
]

_ANSWER = re.compile(
    r"\\boxed\s?\{|<answer>|^[ \t*]{0,8}Final Answer:"
    r"|^[ \t]{0,8}Action[ \t]?\d{0,4}:\s?[Ff]inish\[",
    re.MULTILINE,
)
_CALL = re.compile(
    r"</(?:tool_call|search|end_search|code)>"
    r"|^[ \t*]{0,8}Action[ \t]?\d{0,4}:(?!\s?[Ff]inish\[)",
    re.MULTILINE,
)
_NUMBER = re.compile(r"\d[\d,]*+(?:\.\d++)?+")
_WORD = re.compile(r"[^\W\d_]{4,40}+")


def call_without_print(episode: Episode) -> float:
    """1.0 if a call that worked printed nothing: the agent could not have learned from it."""
    return float(any(turn.tool_ok and not _printed(turn) for turn in episode.turns))


def _printed(turn: Turn) -> bool:
    return bool(turn.tool_meta.get("printed", (turn.tool_result or "").strip()))


def result_unused(episode: Episode) -> float:
    """1.0 if nothing in the agent's later turns comes from the result of a call that worked.

    Used is a result of which a number, or where it has none a word of four letters, is
    written later. A result at the end of an episode without an answer is not counted.
    """
    later = ""
    for turn in reversed(episode.turns):
        if (
            turn.tool_ok
            and later
            and _printed(turn)
            and not _is_used(turn.tool_result or "", later)
        ):
            return 1.0
        later += turn.kept + "\n"
    return 0.0


def _is_used(result: str, later: str) -> bool:
    for pattern in (_NUMBER, _WORD):
        said = {match.replace(",", "").lower() for match in pattern.findall(result)}
        if said:
            written = {match.replace(",", "").lower() for match in pattern.findall(later)}
            return bool(said & written)
    return True


def call_and_answer(episode: Episode) -> float:
    """1.0 if a turn held both a call and an answer: the answer cannot rest on the call."""
    return float(any(_both(turn) for turn in episode.turns))


def _both(turn: Turn) -> bool:
    if turn.call is not None:
        return _ANSWER.search(turn.dropped) is not None
    return turn.answer is not None and _CALL.search(turn.kept + turn.dropped) is not None


def malformed_call(episode: Episode) -> float:
    """1.0 if a turn was neither a call that could be read nor an answer."""
    return float(any(t.parse_error is not None and t.call is None for t in episode.turns))


def answer_before_result(episode: Episode) -> float:
    """1.0 if the agent answered before any call had worked (also if there is no tool at all)."""
    worked = any(turn.tool_ok for turn in episode.turns)
    return float(episode.answer is not None and not worked)

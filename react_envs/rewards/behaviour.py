r"""How an agent used its tools: 1.0 where it did the bad thing, for negative weights.

The cases are those that AgentJet's math agent is trained out of (github.com/modelscope/AgentJet,
tutorial/example_math_agent). All are facts of the agent's own turns, with two exceptions, which
a tool's text can only make *worse* for the agent: whether a call printed anything, and whether
the result of a call was used.
"""

from __future__ import annotations

import re

from react_envs.rewards.published import closed
from react_envs.types import Episode, Turn

__all__ = [
    "answer_before_result",
    "call_and_answer",
    "call_without_print",
    "malformed_call",
    "result_unused",
]

_ANSWER = re.compile(
    r"\\boxed\s?\{|<answer>|^[ \t*]{0,8}Final Answer:|<(?:begin_)?finish>"
    r"|<tool_call>\s{0,8}\{\s{0,8}\"name\":\s{0,8}\"finish\""
    r"|^[ \t*]{0,8}Action[ \t]?\d{0,4}:\s{0,8}[Ff]inish\b",
    re.MULTILINE,
)
_CALL = re.compile(
    r"<tool_call>\s{0,8}\{(?!\s{0,8}\"name\":\s{0,8}\"finish\")"
    r"|</end_(?!finish>)\w{1,80}>|</(?:search|code|python|lookup|retrieve)>"
    r"|^[ \t*]{0,8}Action[ \t]?\d{0,4}:(?!\s{0,8}[Ff]inish\b)",
    re.MULTILINE,
)
_OWN_END = re.compile(r"</(\w{1,80})>\s{0,8}\Z")
_ACTION = re.compile(r"^[ \t*]{0,8}Action[ \t]?\d{0,4}:", re.MULTILINE)
_THOUGHT = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)
_BEGINS_AS_THOUGHT = ("react", "react_paper", "autocoa")
"""Dialects in which what stands before a call is a thought, whatever box is in it."""
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
    """1.0 if a turn held both a call and an answer: the answer cannot rest on the call.

    Looked at is what stands outside the call itself and outside thoughts; a call of `finish` is
    an answer. Calls in tags are known by the tools of this suite and those called in the episode.
    """
    names = {turn.call.name for turn in episode.turns if turn.call is not None} - {"finish"}
    tags = re.compile("|".join(f"</{re.escape(name)}>" for name in sorted(names)) or r"(?!)")
    head = episode.dialect not in _BEGINS_AS_THOUGHT
    return float(any(_both(turn, tags, head) for turn in episode.turns))


def _both(turn: Turn, tags: re.Pattern[str], head: bool) -> bool:
    if turn.answer is None:
        return turn.call is not None and _ANSWER.search(_around(turn, head)) is not None
    # the answer of a call of `finish` is that call
    rest = turn.kept + turn.dropped if turn.call is None else _around(turn, head)
    rest = _without_thoughts(rest)
    return _CALL.search(rest) is not None or tags.search(rest) is not None


def _around(turn: Turn, head: bool) -> str:
    """What the agent wrote before (with `head`) and after the call of its turn."""
    start = _start_of_call(turn) if head else 0
    return f"{_without_thoughts(turn.kept[:start])}\n{turn.dropped}"


def _start_of_call(turn: Turn) -> int:
    """Where the call that `turn.kept` ends with begins; 0 if that cannot be told."""
    end = _OWN_END.search(closed(turn)[-100:])
    if end is not None:
        return max(turn.kept.rfind(f"<{end[1].replace('end_', 'begin_', 1)}>"), 0)
    starts = [match.start() for match in _ACTION.finditer(turn.kept)]
    return max(turn.kept.rfind("<tool_call>"), *starts, 0)


def _without_thoughts(text: str) -> str:
    """`text` without what is between think tags; the environment may have opened the first."""
    opened, closing = text.find("<think>"), text.find("</think>")
    if closing >= 0 and not 0 <= opened < closing:
        text = text[closing + len("</think>") :]
    return _THOUGHT.sub("", text)


def malformed_call(episode: Episode) -> float:
    """1.0 if a turn was neither a call that could be read nor an answer."""
    return float(any(t.parse_error is not None and t.call is None for t in episode.turns))


def answer_before_result(episode: Episode) -> float:
    """1.0 if the agent answered before any call had worked (also if there is no tool at all)."""
    worked = any(turn.tool_ok for turn in episode.turns)
    return float(episode.answer is not None and not worked)

"""What the scorers of the published systems have in common: a verdict, tags, turns as text.

Each system's scorer is a pure function of a text (prompt and response, as its trainer decodes
them) and the gold answers, in a module of its own. Its reward term plays the same function on
a finished episode: `written_turns` is the text that the agent wrote. Where an observation stood
there is an empty one, so nothing that a tool said takes part.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from react_envs.types import Episode, Turn

__all__ = ["Verdict", "closed", "ended", "inside", "written_turns"]

_CLOSE = re.compile(r"</\w{1,80}>")


class Verdict(NamedTuple):
    """A score and why, in the words of the published code where it has any."""

    value: float
    reason: str


def inside(text: str, opening: str, closing: str) -> Iterator[str]:
    """What stands between the pairs of tags in `text`, as `opening(.*?)closing` finds it.

    Time is linear in the text, whatever is left open (that pattern's is not).

    >>> list(inside("<a>1</a> <a><a>2</a> <a>3", "<a>", "</a>"))
    ['1', '<a>2']
    """
    start = text.find(opening)
    while start >= 0:
        start += len(opening)
        end = text.find(closing, start)
        if end < 0:
            return
        yield text[start:end]
        start = text.find(opening, end + len(closing))


def written_turns(episode: Episode, observed: Callable[[Turn], str]) -> str:
    """What the agent wrote in all turns, with `observed(turn)` between one and the next."""
    parts = []
    for turn in episode.turns[:-1]:
        parts += [closed(turn), observed(turn)]
    return "".join([*parts, *(turn.kept for turn in episode.turns[-1:])])


def closed(turn: Turn) -> str:
    """What the agent wrote, with the end of a call that its engine left out as a stop string.

    The observation begins with that end: it is the environment's, as all of its beginning.
    """
    told = turn.call is not None or turn.parse_error is not None
    end = _CLOSE.match(turn.observation) if told else None
    return turn.kept + (end[0] if end else "")


def ended(episode: Episode) -> bool:
    """Whether the last turn came to its end: the engine did not say that it ran out of length."""
    return bool(episode.turns) and episode.turns[-1].finish_reason != "length"

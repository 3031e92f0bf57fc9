r"""Degenerate text of the agent's: 1.0 where it repeats itself or leaks what no text holds.

Repetition is AgentJet's rule (ajet/utils/compute_madness.py). Their check for nonsense counts
every character outside a list of scripts; ours leaves all human languages alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections import deque
from collections.abc import Iterable

from react_envs.types import Episode

__all__ = ["is_nonsense", "is_repetitive", "nonsense", "repetition"]

_TOKEN = re.compile(r"<[|｜][^\s<>|｜]{1,40}[|｜]>")
_END_OF_TURN = re.compile(r"\s*+<[|｜][^\s<>|｜]{1,40}[|｜]>\s*+\Z")
_SUSPECT = re.compile(r"[^\t\n\r -~\u00a0-\u2fff\u3000-\ud7ff]")


def repetition(episode: Episode) -> float:
    """1.0 if a turn is `is_repetitive`, what was cut from it included."""
    return float(any(is_repetitive(turn.kept + turn.dropped) for turn in episode.turns))


def nonsense(episode: Episode) -> float:
    """1.0 if a turn `is_nonsense`, what was cut from it included."""
    return float(any(is_nonsense(turn.kept + turn.dropped) for turn in episode.turns))


def is_repetitive(text: str) -> bool:
    """Whether ten words in a row, or 200 characters, are each among the five (four) before.

    Before: the last so many *different* ones. Numbers in a table repeat themselves too; the
    run ends with the first new word.

    >>> is_repetitive("so it is, " * 8), is_repetitive("one two three four five six " * 3)
    (True, False)
    """
    return _repeats(text.split(), remember=5, patience=10) or _repeats(text, 4, 200)


def _repeats(items: Iterable[str], remember: int, patience: int) -> bool:
    seen: deque[str] = deque(maxlen=remember)
    run = 0
    for item in items:
        run = run + 1 if item in seen else 0
        if run >= patience:
            return True
        if not run:
            seen.append(item)
    return False


def is_nonsense(text: str) -> bool:
    """Whether `text` leaks chat-template tokens (but for one at its end) or broken characters.

    Broken are control characters, private and unassigned ones, lone surrogates and U+FFFD.

    >>> is_nonsense("<|im_start|>user"), is_nonsense("fin.<|im_end|>"), is_nonsense("日本語 😀")
    (True, False, False)
    """
    if _TOKEN.search(_END_OF_TURN.sub("", text)):
        return True
    broken = ("Cc", "Cn", "Co", "Cs")
    return any(c == "\ufffd" or unicodedata.category(c) in broken for c in _SUSPECT.findall(text))

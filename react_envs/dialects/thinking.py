"""Where reasoning in <think> tags ends: nothing in it is a call or an answer."""

from __future__ import annotations

import re

__all__ = ["UNCLOSED_THOUGHT", "end_of_thought"]

UNCLOSED_THOUGHT = "Error: the <think> block was not closed with </think>."

_END = re.compile(r"^[ \t]*+</think>", re.MULTILINE)


def end_of_thought(text: str) -> int | None:
    """Index in `text` where reasoning ends: 0 if there is none, None if it never ends.

    A text that begins with `<think>` reasons up to the first `</think>`. Without it (some chat
    templates open the tag in the prompt) a `</think>` at the start of a line ends it, so one
    inside a call's code does not.

    >>> end_of_thought("<think>hm</think>18"), end_of_thought("18"), end_of_thought("<think>hm")
    (17, 0, None)
    """
    if text.lstrip().startswith("<think>"):
        end = text.find("</think>")
        return None if end < 0 else end + len("</think>")
    match = _END.search(text)
    return 0 if match is None else match.end()

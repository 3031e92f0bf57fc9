"""Search-R1's rewards: exact match, substring match, and exact match with format tiers.

Source: github.com/PeterGriffinJin/Search-R1, verl/utils/reward_score/qa_em.py and
qa_em_format.py. The paper's main experiments use exact match alone; the values 0.2, 0.1, 0.1 of
the tiers are those of the code's comments, 0.2, 0.1, 0 those of the script of v0.3.

Their answer is the *last* `<answer>` of prompt and response, and counts only if there are two:
the prompt holds one as an example. In an episode it is the agent's answer.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from react_envs.rewards.general import format_score
from react_envs.rewards.published import closed, inside, written_turns
from react_envs.rewards.text import contains_match, exact_match, normalize_answer
from react_envs.types import Episode, Turn

__all__ = [
    "search_r1",
    "search_r1_em",
    "search_r1_format",
    "search_r1_format_score",
    "search_r1_subem",
    "valid_sequence",
]

_ASSISTANT = re.compile(r"<\|im_start\|>assistant\s*")


def search_r1_em(text: str, gold: Collection[str]) -> float:
    """1.0 if the last answer of `text` (prompt and response) is a gold one, else 0.0."""
    answer = last_answer(text)
    return 0.0 if answer is None else exact_match(answer, gold)


def search_r1_subem(text: str, gold: Collection[str]) -> float:
    """1.0 if the last answer of `text` contains a gold one, else 0.0."""
    answer = last_answer(text)
    return 0.0 if answer is None else contains_match(answer, gold)


def search_r1_format_score(
    text: str,
    gold: Collection[str],
    *,
    structure: float = 0.2,
    final: float = 0.1,
    retrieval: float = 0.0,
) -> float:
    """Exact match with tiers for the format of `text`, prompt and response.

    Right and well-formed 1; right 1 - `structure`; wrong and well-formed `structure`, and
    `retrieval` more if a gold answer is inside any `<information>`; wrong `final`; no answer 0
    (or as for wrong, if well-formed, which a prompt with the example makes impossible).
    """
    match = _ASSISTANT.search(text)
    valid = match is not None and valid_sequence(text[match.end() :])
    documents = inside(text, "<information>", "</information>")
    found = valid and in_documents(documents, gold)
    return _tier(last_answer(text), gold, valid, found, structure, final, retrieval)


def _tier(
    answer: str | None,
    gold: Collection[str],
    valid: bool,
    found: bool,
    structure: float,
    final: float,
    retrieval: float,
) -> float:
    if answer is not None and exact_match(answer, gold):
        return 1.0 if valid else 1.0 - structure
    if valid:
        return structure + retrieval if found else structure
    return 0.0 if answer is None else final


def last_answer(text: str) -> str | None:
    """The last `<answer>` of a prompt with an example and a response; None if it is alone."""
    answers = list(inside(text, "<answer>", "</answer>"))
    return answers[-1].strip() if len(answers) > 1 else None


def in_documents(documents: Iterable[str], gold: Collection[str]) -> bool:
    """Whether a gold answer, normalised, is a part of one of `documents`."""
    targets = [normalize_answer(target) for target in gold]
    return any(target in normalize_answer(text) for text in documents for target in targets)


def valid_sequence(response: str, calls: Collection[str] = ("search",)) -> bool:
    """Whether `response` is think, then call, information and think any number of times, answer.

    Only whitespace may stand between the tags, and each is opened as often as closed.

    Args:
        response: what the agent wrote and was given, without the prompt.
        calls: names of the tags that call a tool.

    >>> valid_sequence("<think>t</think> <answer>Paris</answer>")
    True
    """
    names = ["think", "information", "answer", *calls]
    if any(response.count(f"<{name}>") != response.count(f"</{name}>") for name in names):
        return False
    state = "start"
    parts = re.split(rf"(</?(?:{'|'.join(map(re.escape, names))})>)", response)
    for i, part in enumerate(parts):
        if i % 2:  # the tags are at the odd places
            name = part.strip("</>")
            state = _NEXT.get((state, part.replace(name, "search") if name in calls else part), "")
        elif part.strip() and not state.startswith("in "):
            return False
        if not state:
            return False
    return state == "end"


_NEXT = {
    ("start", "<think>"): "in think",
    ("information", "<think>"): "in think",
    ("in think", "</think>"): "thought",
    ("thought", "<search>"): "in search",
    ("in search", "</search>"): "searched",
    ("searched", "<information>"): "in information",
    ("in information", "</information>"): "information",
    ("thought", "<answer>"): "in answer",
    ("in answer", "</answer>"): "end",
}
"""Published automaton: which tag may follow in which state. After the end nothing may."""


def search_r1(episode: Episode) -> float:
    """Exact match of the agent's answer; 0.0 if it gave none."""
    return 0.0 if episode.answer is None else exact_match(episode.answer, episode.gold)


def search_r1_format(
    episode: Episode, *, structure: float = 0.2, final: float = 0.1, retrieval: float = 0.0
) -> float:
    """`search_r1_format_score` of the agent's turns in the dialects `search_r1`, `zerosearch`.

    With several tools each tag of a call stands where a search may. An episode with an invalid
    turn is not well-formed: the message after it is text between the tags. In another dialect
    good format is the term `format`. `retrieval` is the one number here that depends on what a tool
    said: whether a gold answer is in it. It is 0 unless asked for, and cannot be earned by
    writing `<information>`, which the environment cuts.
    """
    if episode.dialect in ("search_r1", "zerosearch", ""):
        calls = {tag for turn in episode.turns if (tag := _call_tag(turn))} | {"search"}
        text = written_turns(episode, _information)
        if episode.answer is not None and "</answer>" not in text:
            text += "</answer>"  # an engine that stops there leaves it out
        # what the agent was told after such a turn stands between the tags, and is no whitespace
        corrected = any(turn.parse_error is not None for turn in episode.turns)
        valid = not corrected and valid_sequence(text, calls)
    else:
        valid = bool(format_score(episode))
    documents = [t.tool_result for t in episode.turns if retrieval and t.tool_ok and t.tool_result]
    found = valid and in_documents(documents, episode.gold)
    return _tier(episode.answer, episode.gold, valid, found, structure, final, retrieval)


def _call_tag(turn: Turn) -> str | None:
    closing = re.search(r"</(\w{1,80})>\s{0,8}\Z", closed(turn)[-100:])
    return closing[1] if closing and turn.call is not None else None


def _information(turn: Turn) -> str:
    """An empty observation."""
    return "\n\n<information></information>\n\n"

"""The published scorers, reproduced: 60 cases as pure functions and as episodes; a cross table.

    REACT_ENVS_DATA=... python benchmarks/published_rewards.py

Each case of `rewards/golden_rewards.json` is a text, gold answers and the value that the
published system's own scorer gave. "Function" scores the text; "episode" plays it: the agent
writes what is the agent's of it, a scripted tool says what stands between the tags of a result,
and the reward wrapper scores the episode. The cross table scores the same answers with every
scorer.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from react_envs.core import ReactEnv
from react_envs.rewards.autocoa import autocoa_code_score, autocoa_strict_score
from react_envs.rewards.numeric import numeric_match
from react_envs.rewards.recall import recall_score
from react_envs.rewards.research import research_score
from react_envs.rewards.retool import retool_score
from react_envs.rewards.search_r1 import search_r1_em, search_r1_format_score, search_r1_subem
from react_envs.rewards.text import exact_match, f1_score
from react_envs.rewards.zerosearch import zerosearch_score
from react_envs.tasks import TaskList
from react_envs.tools import Tool
from react_envs.types import Completion, Task
from react_envs.wrappers import EpisodeReward, StepLimit

Case = dict[str, Any]


class Scripted(Tool):
    """Says what the case says that the tool said."""

    name = "search"

    def __init__(self, results: list[str]) -> None:
        self.results = results

    def __call__(self, query: str) -> str:
        """Find pages."""
        return self.results.pop(0) if self.results else "nothing"

    @property
    def parameters(self) -> dict[str, Any]:
        """A query, or whatever object the case calls it with."""
        properties = {"query": {"type": "string"}, "q": {"type": "integer"}}
        return {"type": "object", "properties": properties, "required": []}


class _Scorer:
    """How a published scorer is called here, on a text and in an environment."""

    def __init__(
        self,
        on_text: Callable[[str, Any], Any],
        dialect: dict[str, Any],
        reward: Any,
        result: str,
        response: str,
        eos: str = "",
        terms: tuple[str, ...] = (),
    ) -> None:
        self.on_text = on_text
        self.dialect = dialect
        self.reward = reward
        self.result = result
        self.response = response
        self.eos = eos
        self.terms = terms


def _zerosearch(text: str, gold: Any) -> Any:
    try:
        return list(zerosearch_score(text, gold, published=True))
    except AttributeError as error:
        return f"EXC AttributeError: {error}"


_KEEP: dict[str, Any] = {"name": "search_r1", "after_answer": "keep"}
_CHAT = "<|im_start|>assistant\n"
# A result is the tool's where it follows a call; any other was written by the agent.
_INFORMATION = r"(?<=</search>)\s*<information>(.*?)</information>\s*"
_RESULT = r"(?<=</search>)\s*<result>\n?(.*?)\n?</result>"
_FOUND = r"(?<=</end_search>)\s*(?:<search_result> ?(.*?) ?</search_result>)?\s*"
# The environment opens the thought of a turn after the first.
_RESPONSE = (
    r"<\|im_end\|>\s*(?:<\|im_start\|>user\n(.*?)<\|im_end\|>\s*)?"
    r"<\|im_start\|>assistant\n(?:<think>)?"
)

SCORERS: dict[str, _Scorer] = {
    "re_search.compute_score": _Scorer(
        lambda text, gold: list(research_score(text, gold)),
        {"name": "research"}, "research", _RESULT, "Assistant:",
        "<|endoftext|>",
    ),
    "re_call.compute_score_with_format": _Scorer(
        lambda text, gold: list(recall_score(text, gold)),
        {"name": "recall"}, "recall", _RESPONSE, _CHAT, "<|im_end|>",
    ),
    "qa_em.em": _Scorer(search_r1_em, _KEEP, "search_r1", _INFORMATION, _CHAT),
    "qa_em.subem": _Scorer(
        search_r1_subem, _KEEP, {"contains_match": 1.0}, _INFORMATION, _CHAT
    ),
    "qa_em_format v0.3(.2,.1,0)": _Scorer(
        search_r1_format_score, _KEEP, "search_r1_format", _INFORMATION, _CHAT
    ),
    "qa_em_format(.2,.1,.1)": _Scorer(
        lambda text, gold: search_r1_format_score(text, gold, retrieval=0.1),
        _KEEP, {"name": "search_r1_format", "retrieval": 0.1}, _INFORMATION, _CHAT,
    ),
    "qa_em.compute_score [em,f1]": _Scorer(
        _zerosearch, {**_KEEP, "name": "zerosearch"}, "zerosearch", _INFORMATION, _CHAT,
        terms=("contains_match", "zerosearch"),
    ),
    "hotpotqa.compute_score": _Scorer(
        autocoa_code_score, {"name": "autocoa"}, "autocoa_code", _FOUND, ""
    ),
}  # fmt: skip
"""By the name that a case gives its scorer."""


def load_cases(data: str | os.PathLike[str]) -> list[Case]:
    cases: list[Case] = json.loads(Path(data, "rewards", "golden_rewards.json").read_text("utf-8"))
    return cases


def score_text(case: Case) -> Any:
    """The value that our function gives the text of a case."""
    return SCORERS[case["scorer"]].on_text(case["text"], case["gold"])


def play(case: Case) -> tuple[Any, dict[str, Any], str]:
    """Play the text of a case: its reward or terms, the last info, and the text that it made."""
    scorer = SCORERS[case["scorer"]]
    actions, results = _script(case)
    gold = case["gold"].split("<ans_split>") if isinstance(case["gold"], str) else case["gold"]
    tasks = TaskList([Task("q", tuple(gold))])
    env = EpisodeReward(
        StepLimit(ReactEnv(tasks, [Scripted(results)], scorer.dialect), len(actions)), scorer.reward
    )
    env.reset(seed=0)
    text, total = "", 0.0
    info: dict[str, Any] = {}
    for action in actions:
        observation, reward, terminated, truncated, info = env.step(action)
        text += info["kept"] + observation
        total += reward
        if terminated or truncated:
            break
    if scorer.terms:
        return [info["reward_terms"][name] for name in scorer.terms], info, text
    return total, info, text


def response_of(case: Case) -> str:
    """What of a case's text the agent and the tool wrote, without the prompt."""
    scorer, text = SCORERS[case["scorer"]], case["text"]
    marker = _CHAT if _CHAT in text else scorer.response
    return str(text.partition(marker)[2] if marker else text)


def _script(case: Case) -> tuple[list[Completion], list[str]]:
    """What the agent writes turn by turn, and what the tool says between."""
    scorer, response = SCORERS[case["scorer"]], response_of(case)
    unclosed = response.rfind("<answer>") > response.rfind("</answer>")
    cut = unclosed or (scorer.eos and not response.endswith(scorer.eos))
    finish = "length" if cut else "stop"
    parts = re.split(scorer.result, response.removesuffix(scorer.eos), flags=re.DOTALL)
    turns, results = parts[::2], [result or "" for result in parts[1::2]]
    ends = ["stop"] * (len(turns) - 1) + [finish]
    return [
        Completion(turn, finish_reason=end) for turn, end in zip(turns, ends, strict=True)
    ], results


def same(value: Any, published: Any) -> bool:
    """Whether an episode's value is the published one; an exception is 0.0 in an episode."""
    if isinstance(published, str):
        return bool(value == [0.0, 0.0])
    if isinstance(published, list) and isinstance(value, float):
        published = published[0]
    return bool(value == published)


# --- The cross table -----------------------------------------------------------------------

ANSWERS = [
    ("Paris", "Paris"),
    ("the Paris!", "paris"),
    ("the city of Paris", "Paris"),
    ("Paris, France", "Paris"),
    ("Paris", "Paris, France"),
    ("London", "Paris"),
    ("John Fitzgerald Kennedy", "John Kennedy Fitzgerald"),
    ("not in new york city", "new york city hall"),
    ("two", "2"),
    ("no, it is not", "no"),
    ("1,000", "1000"),
    ("$18", "18"),
    (r"\text{Paris}", "Paris"),
    ("Paris " + " ".join(f"w{i}" for i in range(40)), "Paris"),
]
"""Answers and gold answers that the scorers do not agree on."""

CROSS: dict[str, Callable[[str, str], float]] = {
    "exact_match": lambda answer, gold: exact_match(answer, [gold]),
    "f1": lambda answer, gold: f1_score(answer, [gold]),
    "research": lambda answer, gold: research_score(_boxed(answer), [gold]).value,
    "monotone": lambda answer, gold: research_score(_boxed(answer), [gold], monotone=True).value,
    "recall": lambda answer, gold: (
        recall_score(f"{_CHAT}<think>t</think>\\boxed{{{answer}}}<|im_end|>", [gold]).value
    ),
    "search_r1": lambda answer, gold: search_r1_em(_tagged(answer), [gold]),
    "sub_em": lambda answer, gold: search_r1_subem(_tagged(answer), [gold]),
    "format": lambda answer, gold: search_r1_format_score(_tagged(answer), [gold]),
    "zerosearch": lambda answer, gold: zerosearch_score(_tagged(answer), [gold])[1],
    "autocoa_strict": lambda answer, gold: autocoa_strict_score(_thought(answer), gold),
    "autocoa_code": lambda answer, gold: autocoa_code_score(_thought(answer), gold),
    "retool": lambda answer, gold: retool_score(
        f"\\boxed{{{answer}}}", [gold], numeric_match if gold.isdigit() else exact_match
    ),
}


def _boxed(answer: str) -> str:
    return f"Assistant:<think>t</think><answer>\\boxed{{{answer}}}</answer><|endoftext|>"


def _tagged(answer: str) -> str:
    return f"<answer> Beijing </answer>{_CHAT}<think>t</think><answer>{answer}</answer>"


def _thought(answer: str) -> str:
    return f"t</think>\\boxed{{{answer}}}"


def cross_table() -> str:
    """Every scorer on every answer, as Markdown."""
    rows = [
        f"| answer / gold | {' | '.join(CROSS)} |",
        f"|---|{'---:|' * len(CROSS)}",
    ]
    for answer, gold in ANSWERS:
        shown = answer if len(answer) < 40 else answer[:12] + "... (41 words)"
        values = " | ".join(f"{score(answer, gold):.3g}" for score in CROSS.values())
        rows.append(f"| {shown} / {gold} | {values} |".replace("\\", "\\\\"))
    return "\n".join(rows)


def vector_table(cases: list[Case]) -> str:
    """How many cases of each scorer come out as published, as Markdown."""
    rows = ["| published scorer | cases | function | episode |", "|---|---:|---:|---:|"]
    for name in SCORERS:
        of_it = [case for case in cases if case["scorer"] == name]
        by_text = sum(score_text(case) == case["value"] for case in of_it)
        by_play = sum(same(play(case)[0], case["value"]) for case in of_it)
        rows.append(f"| `{name}` | {len(of_it)} | {by_text} | {by_play} |")
    return "\n".join(rows)


if __name__ == "__main__":
    folder = os.environ.get("REACT_ENVS_DATA") or Path(__file__).parents[1] / "../shared/data"
    print(vector_table(load_cases(folder)), cross_table(), sep="\n\n")

"""Named terms of an episode's reward, and presets that weigh them.

A term is a function of the finished `Episode`. It may read what the agent wrote (kept text,
calls, answer) and whether a tool worked, never a tool's text: nothing that a tool printed or
a document said can score. The terms that look at results at all are named here: `retrieved`
and the option `retrieval` of `search_r1_format` pay, where asked for, for a result that holds a
gold answer, as their papers do; `result_unused` and `call_without_print` can only cost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from react_envs.errors import ArgumentError
from react_envs.named import named_object
from react_envs.rewards import behaviour, degenerate, turn_credit
from react_envs.rewards.autocoa import autocoa_code, autocoa_strict
from react_envs.rewards.general import answer_score, format_score, tool_use
from react_envs.rewards.judges import judge_score, make_judge
from react_envs.rewards.math import math_match
from react_envs.rewards.numeric import numeric_match
from react_envs.rewards.recall import recall
from react_envs.rewards.research import research, research_monotone
from react_envs.rewards.retool import retool
from react_envs.rewards.search_r1 import search_r1, search_r1_format
from react_envs.rewards.text import contains_match, exact_match, f1_score, f1_with_yes_no
from react_envs.rewards.trivia import triviaqa_f1, triviaqa_match
from react_envs.rewards.zerosearch import zerosearch
from react_envs.types import Episode

__all__ = ["GRADERS", "PRESETS", "Term", "answer_score", "format_score", "make_terms", "tool_use"]

Term = Callable[[Episode], float]

GRADERS: dict[str, Callable[[str, Sequence[str]], float]] = {
    "text": exact_match,
    "numeric": numeric_match,
    "math": math_match,
    "hotpotqa": exact_match,
    "triviaqa": triviaqa_match,
    "label": exact_match,
}
"""How a data set compares an answer with the gold ones: the `exact_match` term."""

F1_SCORES: dict[str, Callable[[str, Sequence[str]], float]] = {
    "text": f1_score,
    "hotpotqa": f1_with_yes_no,
    "triviaqa": triviaqa_f1,
}
"""The `f1` term. A number, a formula or a label is one word: half of one is not half right."""

PRESETS: dict[str, dict[str, float]] = {
    "exact_match": {"exact_match": 1.0},
    "f1": {"f1": 1.0},
    "exact_match_format": {"exact_match": 1.0, "format": 0.1},
    "react": {"exact_match": 1.0, "f1_with_yes_no": 0.0},
    "research": {"research": 1.0},
    "research_monotone": {"research_monotone": 1.0},
    "recall": {"recall": 1.0},
    "search_r1": {"search_r1": 1.0},
    "search_r1_format": {"search_r1_format": 1.0},
    "zerosearch": {"zerosearch": 1.0, "contains_match": 0.0},
    "retool": {"retool": 1.0},
    "autocoa_strict": {"autocoa_strict": 1.0},
    "autocoa_code": {"autocoa_code": 1.0},
    "math_agent": {
        "exact_match": 1.0,
        "call_without_print": -0.1,
        "result_unused": -0.1,
        "call_and_answer": -0.1,
        "malformed_call": -0.1,
        "answer_before_result": -0.1,
        "repetition": -1.0,
        "nonsense": -1.0,
    },
    "turn_credit": {
        "tool_execution": 0.2,
        "retrieved": 0.5,
        "answer_present": 0.5,
        "literal_match": 1.0,
        "xml_format": 0.2,
        "xml_tags": 0.2,
    },
    "judge": {"judge": 1.0},
}
"""Weights of the terms; terms without a weight are reported and do not count."""

ALWAYS = ("exact_match", "f1", "format", "tool_use")
"""Terms that every episode is reported with, whatever its reward."""


def _all_terms(grader: str) -> dict[str, Callable[..., float]]:
    """Every term by name; some take options beside the episode."""
    grade = GRADERS[grader]
    return {
        "exact_match": partial(answer_score, grade=grade),
        "f1": partial(answer_score, grade=F1_SCORES.get(grader, grade)),
        "format": format_score,
        "tool_use": tool_use,
        "f1_with_yes_no": partial(answer_score, grade=f1_with_yes_no),
        "contains_match": partial(answer_score, grade=contains_match),
        "research": research,
        "research_monotone": research_monotone,
        "recall": recall,
        "search_r1": search_r1,
        "search_r1_format": search_r1_format,
        "zerosearch": zerosearch,
        "retool": partial(retool, grade=grade),
        "autocoa_strict": autocoa_strict,
        "autocoa_code": autocoa_code,
        "call_without_print": behaviour.call_without_print,
        "result_unused": behaviour.result_unused,
        "call_and_answer": behaviour.call_and_answer,
        "malformed_call": behaviour.malformed_call,
        "answer_before_result": behaviour.answer_before_result,
        "repetition": degenerate.repetition,
        "nonsense": degenerate.nonsense,
        "tool_execution": turn_credit.tool_execution,
        "retrieved": turn_credit.retrieved,
        "answer_present": turn_credit.answer_present,
        "literal_match": turn_credit.literal_match,
        "xml_format": turn_credit.xml_format,
        "xml_tags": turn_credit.xml_tags,
    }


def make_terms(
    reward: str | Mapping[str, Any] | Term, grader: str = "text"
) -> tuple[dict[str, Term], dict[str, float]]:
    """The terms to report by name, and the weights that `reward` gives to some of them.

    Args:
        reward: a preset's name; `{"name": preset, **options}` for one that takes options
            (`search_r1_format`: `structure`, `final`, `retrieval`; `judge`: `judge`); weights by
            term or preset name; a function of the `Episode`, or `"module:name"` of one, which
            becomes a term under its own name with weight 1. Weights may name these too.
        grader: how the data set compares answers, a key of `GRADERS`.

    Raises:
        ArgumentError: for an unknown preset, term, option or grader.
        MissingExtraError: if the grader needs a package that is not installed.

    >>> terms, weights = make_terms({"exact_match": 1, "repetition": -1})
    >>> sorted(terms)
    ['exact_match', 'f1', 'format', 'repetition', 'tool_use']
    >>> weights
    {'exact_match': 1.0, 'repetition': -1.0}
    """
    if grader not in GRADERS:
        raise ArgumentError(f"unknown grader {grader!r}; known: {', '.join(GRADERS)}")
    if grader == "math":
        math_match("1", ["1"])  # raises here if its extra is missing, not in an episode
    known = _all_terms(grader)
    weights, options = _weights(reward, known)
    terms: dict[str, Term] = {name: known[name] for name in ALWAYS}
    for name in weights:
        if name == "judge":
            judge = make_judge(options.pop("judge", "rule"), GRADERS[grader])
            terms[name] = partial(judge_score, judge=judge)
        else:
            terms[name] = known[name]
    if options:
        (name,) = (name for name in weights if name not in ALWAYS)
        terms[name] = _with_options(name, known[name], options)
    return terms, weights


def _weights(
    reward: Any, known: dict[str, Callable[..., float]]
) -> tuple[dict[str, float], dict[str, Any]]:
    """Weights by term, and options of the preset; functions that come with it join `known`."""
    options: dict[str, Any] = {}
    if isinstance(reward, Mapping) and "name" in reward:
        options = dict(reward)
        reward = options.pop("name")
    if isinstance(reward, str) and ":" not in reward:
        if reward not in PRESETS:
            raise ArgumentError(f"unknown reward {reward!r}; known: {', '.join(PRESETS)}")
        taken = _OPTIONS.get(reward, ())
        for option in options:
            if option not in taken:
                told = ", ".join(taken) or "none"
                raise ArgumentError(f"reward {reward!r} has no option {option!r}; it has: {told}")
        return dict(PRESETS[reward]), options
    if options:
        raise ArgumentError(f"expected the name of a preset with options, got {reward!r}")
    if isinstance(reward, str) or callable(reward):
        return {_add_function(reward, known): 1.0}, {}
    if not isinstance(reward, Mapping):
        raise ArgumentError(
            f"reward must be a preset's name, weights by term, or a function, actually: {reward!r}"
        )
    weights: dict[str, float] = {}
    for name, weight in reward.items():
        if isinstance(weight, bool) or not isinstance(weight, int | float):
            raise ArgumentError(f"the weight of {name!r} must be a number, got {weight!r}")
        for term, part in _parts(name, known).items():
            weights[term] = weights.get(term, 0.0) + weight * part
    return weights, {}


def _parts(name: Any, known: dict[str, Callable[..., float]]) -> dict[str, float]:
    """What a name in a mapping of weights stands for: a term, a preset's terms, a function."""
    if name in known or name == "judge":
        return {name: 1.0}
    if name in PRESETS:
        return PRESETS[name]
    if not callable(name) and ":" not in str(name):
        raise ArgumentError(f"unknown reward term {name!r}; known: {', '.join(known)}")
    return {_add_function(name, known): 1.0}


_OPTIONS = {"search_r1_format": ("structure", "final", "retrieval"), "judge": ("judge",)}


def _add_function(term: str | Term, known: dict[str, Callable[..., float]]) -> str:
    """The name under which `term`, a function or `module:name`, now stands in `known`."""
    function = named_object(term, "reward") if isinstance(term, str) else term
    if not callable(function):
        raise ArgumentError(f"reward {term!r} is not a function of an Episode: {function!r}")
    name: str = getattr(function, "__name__", type(function).__name__)
    if name in known or name == "judge":
        raise ArgumentError(f"a reward function needs a name of its own, {name!r} is taken")
    known[name] = function
    return name


def _with_options(name: str, term: Callable[..., float], options: dict[str, Any]) -> Term:
    for option, value in options.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ArgumentError(f"{option} of {name!r} must be a number, got {value!r}")
    return partial(term, **options)

"""Pure functions from an answer, or a published system's text, to a score; judges."""

from __future__ import annotations

from react_envs.rewards.autocoa import autocoa_code_score, autocoa_strict_score
from react_envs.rewards.boxed import extract_boxed
from react_envs.rewards.judges import Judgement, LLMJudge, math_answer_as_judge
from react_envs.rewards.math import (
    MathReason,
    MathVerdict,
    compare_math,
    math_equal,
    math_match,
)
from react_envs.rewards.numeric import extract_number, numeric_match
from react_envs.rewards.published import Verdict
from react_envs.rewards.recall import recall_score
from react_envs.rewards.research import research_score
from react_envs.rewards.retool import retool_score
from react_envs.rewards.search_r1 import search_r1_em, search_r1_format_score, search_r1_subem
from react_envs.rewards.text import (
    contains_match,
    exact_match,
    f1_score,
    f1_with_yes_no,
    normalize_answer,
)
from react_envs.rewards.zerosearch import zerosearch_score

__all__ = [
    "Judgement",
    "LLMJudge",
    "MathReason",
    "MathVerdict",
    "Verdict",
    "autocoa_code_score",
    "autocoa_strict_score",
    "compare_math",
    "contains_match",
    "exact_match",
    "extract_boxed",
    "extract_number",
    "f1_score",
    "f1_with_yes_no",
    "math_answer_as_judge",
    "math_equal",
    "math_match",
    "normalize_answer",
    "numeric_match",
    "recall_score",
    "research_score",
    "retool_score",
    "search_r1_em",
    "search_r1_format_score",
    "search_r1_subem",
    "zerosearch_score",
]

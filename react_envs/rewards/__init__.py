"""Pure functions from an answer to a score; wrappers turn them into rewards."""

from __future__ import annotations

from react_envs.rewards.boxed import extract_boxed
from react_envs.rewards.math import (
    MathReason,
    MathVerdict,
    compare_math,
    math_equal,
    math_match,
)
from react_envs.rewards.numeric import extract_number, numeric_match
from react_envs.rewards.text import exact_match, f1_score, normalize_answer

__all__ = [
    "MathReason",
    "MathVerdict",
    "compare_math",
    "exact_match",
    "extract_boxed",
    "extract_number",
    "f1_score",
    "math_equal",
    "math_match",
    "normalize_answer",
    "numeric_match",
]

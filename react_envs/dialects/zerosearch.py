"""The `zerosearch` dialect: Search-R1's tags with ZeroSearch's limits (arXiv 2505.04588)."""

from __future__ import annotations

from typing import Any

from react_envs.dialects.dialect import Limits
from react_envs.dialects.search_r1 import SearchR1Dialect

__all__ = ["ZeroSearchDialect"]


class ZeroSearchDialect(SearchR1Dialect):
    """As `search_r1`: five turns, the last of which still searches, observations of 2,048 tokens.

    The system's own point, documents that a language model invents, is a tool and not syntax.

    Source: github.com/Alibaba-NLP/ZeroSearch (llm_agent/generation.py).
    """

    name = "zerosearch"
    limits = Limits(max_turns=5, observation="2,048 tokens", documents=5)

    def __init__(self, *, max_observation_tokens: int | None = 2048, **options: Any) -> None:
        super().__init__(max_observation_tokens=max_observation_tokens, **options)

"""Templates of the synthetic grade-school problems, a file per theme."""

from __future__ import annotations

from . import counting, earning, measuring, parts, people, shopping, travel
from .template import Draw, Template

__all__ = ["TEMPLATES", "Draw", "Template"]

TEMPLATES: tuple[Template, ...] = tuple(
    value
    for theme in (shopping, earning, counting, travel, measuring, parts, people)
    for value in vars(theme).values()
    if isinstance(value, Template)
)
"""In the order of the files: the position is part of which task an index names."""

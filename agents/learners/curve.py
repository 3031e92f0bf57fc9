"""A reward curve: as text for the terminal, as PNG for a page."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from itertools import pairwise

__all__ = ["draw_text", "save_png"]


def draw_text(
    values: Sequence[float], *, width: int = 60, height: int = 10, title: str = ""
) -> str:
    """The curve in `height` lines of at most `width` columns, the axis from 0 to 1 or the greatest.

    A column is the mean of the values that fall into it.

    >>> print(draw_text([0.0, 0.5, 1.0], width=3, height=2, title="reward"))
    reward
    1.00 |  #
    0.50 | ##
         +---
    """
    columns = _columns(values, width)
    top = max([1.0, *columns])
    lines = [title] if title else []
    for level in range(height, 0, -1):
        filled = "".join("#" if value / top * height >= level - 1e-9 else " " for value in columns)
        lines.append(f"{top * level / height:4.2f} |{filled}".rstrip())
    return "\n".join([*lines, "     +" + "-" * len(columns)])


def _columns(values: Sequence[float], width: int) -> list[float]:
    count = min(width, len(values))
    edges = [round(i * len(values) / count) for i in range(count + 1)] if count else [0]
    return [sum(values[a:b]) / (b - a) for a, b in pairwise(edges) if b > a]


def save_png(
    path: str | os.PathLike[str],
    curves: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    title: str,
    x: str = "update",
) -> bool:
    """Draw named curves, each (x values, y values), into a PNG; False without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return False
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for name, (xs, ys) in curves.items():
        axes.plot(xs, ys, label=name, marker="o" if len(xs) < 20 else None)
    axes.set(title=title, xlabel=x, ylim=(0, 1.05))
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=120)
    return True

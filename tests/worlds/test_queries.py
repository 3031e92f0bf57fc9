"""The solver, on facts written by hand: every answer, none too many, none without its pages."""

from __future__ import annotations

import pytest

from react_envs.worlds.facts import Facts
from react_envs.worlds.queries import (
    Arithmetic,
    Chain,
    Comparison,
    Count,
    Difference,
    Listed,
    Query,
    Reigning,
    Shared,
    Step,
)
from react_envs.worlds.world import Reign, Statement, Value

# two books (1, 2), their authors (10, 11), cities (20, 21), a country (30), events (40, 41)
FACTS = Facts.of(
    [
        Statement(1, "author", False, 10),
        Statement(11, "author", True, 2),  # the author's page tells it
        Statement(1, "published", False, 1700),
        Statement(2, "published", False, 1650),
        Statement(10, "birthplace", False, 20),
        Statement(11, "birthplace", False, 20),
        Statement(20, "country", False, 30),
        Statement(20, "population", False, 5000),
        Statement(21, "population", False, 700),
        Statement(40, "participants", False, (10, 11, 12)),
        Statement(41, "participants", False, (11, 13)),
        Statement(30, "ruler", False, Reign(1600, 1680, 12)),
        Statement(30, "ruler", False, Reign(1680, 1750, 13)),
    ]
)


def chain(start: int, *labels: str) -> Chain:
    return Chain(start, tuple(Step(label.lstrip("~"), label.startswith("~")) for label in labels))


E40, E41 = (Listed("participants", chain(event)) for event in (40, 41))
CASES: dict[str, tuple[Query, set[Value]]] = {
    "one-step": (chain(1, "author"), {10}),
    "told-by-the-object": (chain(2, "author"), {11}),
    "three-steps": (chain(1, "author", "birthplace", "country"), {30}),
    "inverse": (chain(10, "~author"), {1}),
    "inverse-of-several": (chain(20, "~birthplace"), {10, 11}),
    "not-told": (chain(21, "country"), set()),
    "earlier": (Comparison((chain(1), chain(2)), "published", False, Step("author")), {11}),
    "later": (Comparison((chain(1), chain(2)), "published", True, Step("author")), {10}),
    "described": (
        Comparison((chain(10, "~author"), chain(2)), "published", True, Step("author")),
        {10},
    ),
    "equal-values": (
        Comparison((chain(1), chain(1)), "published", True, Step("author")),
        set(),
    ),
    "in-both-lists": (Shared((E40, E41)), {11}),
    "union": (Count((E40, E41)), {4}),
    "ruler-in-a-year": (Reigning(chain(30), chain(1, "published")), {13}),
    "years-between": (Difference((chain(1, "published"), chain(2, "published"))), {50}),
    "sum": (Arithmetic("sum", (chain(20, "population"), chain(21, "population"))), {5700}),
    "product": (
        Arithmetic(
            "product", (chain(21, "population"), chain(1, "author", "birthplace", "population"))
        ),
        {3_500_000},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_all_answers_and_no_others(name: str) -> None:
    query, answers = CASES[name]
    assert query.solve(FACTS) == answers


@pytest.mark.parametrize(
    ("name", "pages"),
    [
        ("three-steps", (1, 10, 20)),
        ("told-by-the-object", (11,)),
        ("earlier", (1, 2, 11)),
        ("in-both-lists", (40, 41)),
        ("union", (40, 41)),
        ("ruler-in-a-year", (1, 30)),
        ("years-between", (1, 2)),
        ("product", (21, 1, 10, 20)),
    ],
)
def test_nothing_is_known_without_any_of_its_pages(name: str, pages: tuple[int, ...]) -> None:
    query, answers = CASES[name]
    assert not any(query.solve(FACTS, (page,)) for page in pages)
    assert query.solve(FACTS, (99,)) == answers


def test_a_year_in_which_the_ruler_changed_has_two() -> None:
    facts = Facts.of(
        [
            Statement(1, "published", False, 1680),
            Statement(30, "ruler", False, Reign(1600, 1680, 12)),
            Statement(30, "ruler", False, Reign(1680, 1750, 13)),
        ]
    )
    assert Reigning(chain(30), chain(1, "published")).solve(facts) == {12, 13}

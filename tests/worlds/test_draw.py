"""Drawn questions, solved again from what a reader of the pages' text knows."""

from __future__ import annotations

from random import Random

import pytest
from world_reader import Reader

from react_envs.worlds.draw import TYPES, Drawer
from react_envs.worlds.encyclopedia import Encyclopedia
from react_envs.worlds.facts import Facts
from react_envs.worlds.world import WorldSpec


@pytest.fixture(scope="module", params=["train", "test"])
def library(request: pytest.FixtureRequest) -> tuple[Encyclopedia, Facts]:
    """An encyclopedia, and the facts as its text tells them."""
    paper = Encyclopedia(WorldSpec(seed=21, pages=200, split=request.param))
    reader = Reader(paper.world)
    return paper, Facts.of(s for page in range(200) for s in reader.statements(page)[0])


@pytest.mark.parametrize("kind", TYPES)
def test_the_text_has_one_answer_and_none_without_any_supporting_page(
    kind: str, library: tuple[Encyclopedia, Facts]
) -> None:
    paper, facts = library
    drawer = Drawer(paper, Random(5).random)
    for i in range(40):
        draft = drawer.draw(kind, hops=1 + i % 4)
        assert draft is not None
        solved = draft.query.solve(facts)
        assert solved == (set() if draft.answer is None else {draft.answer})
        if draft.answer is not None:
            assert not any(draft.query.solve(facts, (page,)) for page in draft.support)
            rest = set(range(200)) - set(draft.support)
            # a count or a list needs no page but these
            assert draft.query.solve(facts, rest) == {draft.answer}


def test_what_a_question_without_an_answer_asks_for_is_told_nowhere(
    library: tuple[Encyclopedia, Facts],
) -> None:
    paper, facts = library
    drawer = Drawer(paper, Random(6).random)
    for _ in range(60):
        draft = drawer.draw("unanswerable", hops=1)
        assert draft is not None
        assert draft.missing is not None
        page, relation = draft.missing
        assert not facts.objects(relation, page)
        assert paper.world.value(relation, page) is None

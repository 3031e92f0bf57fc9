"""Worlds and their pages: deterministic, disjoint, and the text tells the facts and no others."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any, Literal

import pytest
from world_reader import Reader

from react_envs.errors import ArgumentError
from react_envs.worlds.encyclopedia import Encyclopedia, encyclopedia, leads_on
from react_envs.worlds.relation import Wordings
from react_envs.worlds.relations import KINDS, LISTS, RELATIONS, RULED, RULER
from react_envs.worlds.world import World, WorldSpec
from react_envs.worlds.writing import article, passages, sentences

SPLITS: tuple[Literal["train", "test"], ...] = ("train", "test")


@pytest.fixture(scope="module")
def paper() -> Encyclopedia:
    return encyclopedia(WorldSpec(seed=7, pages=600, homonyms=0.2))


def test_a_seed_is_a_world_and_another_is_another() -> None:
    one, same, other = (World(WorldSpec(seed=s)) for s in (3, 3, 4))
    for drawn in ("titles", "aliases", "values", "lists", "reigns"):
        assert getattr(one, drawn) == getattr(same, drawn)
    assert set(one.titles).isdisjoint(other.titles)
    assert [article(one, i) for i in range(50)] == [article(same, i) for i in range(50)]


@pytest.mark.parametrize("pages", [50, 51, 333, 2000])
def test_a_world_has_its_number_of_pages_with_all_kinds(pages: int) -> None:
    world = World(WorldSpec(pages=pages))
    assert sum(len(ids) for ids in world.range.values()) == pages
    assert all(len(ids) >= 2 for ids in world.range.values())
    assert len(set(world.titles)) == len(world.titles)


def test_a_title_of_train_has_no_word_of_test() -> None:
    """But for the nouns that names are made with, such as "Battle of"."""
    worlds = {s: [World(WorldSpec(seed=i, split=s)) for i in range(20)] for s in SPLITS}
    train, test = (
        {word for world in worlds[s] for title in world.titles for word in title.split()}
        for s in SPLITS
    )
    common = {w for w in train & test if w not in MADE_OF.split()}
    assert not common


MADE_OF = (
    "Society Institute Bank Guild Academy Club Works League Company University of and Letters from "
    "Songs Nights in A Year Battle Fair Congress Regatta March on Siege Games owl otter hare heron "
    "lynx newt bat ibex Prize Medal Cup Ribbon (I) (II) (III) (city) (country) (river) (book)"
)


def all_wordings() -> list[Wordings]:
    found = [RULED]
    for relation in RELATIONS.values():
        found += [relation.told, relation.phrase, *(relation.more or ())]
        if relation.inverse is not None:
            found += [relation.inverse.told, relation.inverse.phrase]
    for persons in LISTS:
        found += [persons.told, persons.did]
    for kind in KINDS.values():
        found += [kind.leads, kind.fillers, kind.who]
    return found


def test_no_wording_stands_in_both_splits() -> None:
    train = [text for w in all_wordings() for text in w.train]
    test = [text for w in all_wordings() for text in w.test]
    told = {text for text in train if "{s}" in text or "{x}" in text}
    assert told.isdisjoint(test)
    assert all(w.train and w.test for w in all_wordings())


def test_there_are_forty_relations_and_more_with_names_of_their_own() -> None:
    assert len(RELATIONS) >= 40
    labels = [r.name for r in RELATIONS.values()] + [
        r.inverse.word.replace(" ", "_") for r in RELATIONS.values() if r.inverse
    ]
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize("split", SPLITS)
def test_the_text_of_the_pages_tells_exactly_the_facts(split: Literal["train", "test"]) -> None:
    """Read back by patterns: no fact is lost, none is told by a sentence that should not."""
    world = World(WorldSpec(seed=11, pages=300, split=split))
    reader = Reader(world)
    for page in range(world.spec.pages):
        read, silent = reader.statements(page)
        assert read == set(world.statements(page)), article(world, page)
        assert silent >= 3, "a first sentence and some that nobody asks about"


@pytest.mark.parametrize("relations", [None, ("mentor", "ruler", "birth_year", "members")])
def test_relation_by_relation_the_pages_tell_the_same(relations: Any) -> None:
    """Questions look at few relations and are proved on these; a reader sees pages."""
    world = World(WorldSpec(seed=5, pages=400, relations=relations))
    by_page = [s for page in range(world.spec.pages) for s in world.statements(page)]
    names = [*RELATIONS, RULER, *(persons.name for persons in LISTS)]
    by_relation = [s for name in names for s in world.telling(name)]
    assert len(by_page) == len(by_relation) > 100
    assert set(by_page) == set(by_relation)


def test_pointers_are_all_statements_that_name_an_entity(paper: Encyclopedia) -> None:
    told = [s for page in range(600) for s in paper.told(page) if leads_on(s)]
    for entity in range(600):
        assert paper.pointers(entity) == [s for s in told if s.target == entity]


def test_every_fact_is_told_on_one_page_only(paper: Encyclopedia) -> None:
    told: set[tuple[object, ...]] = set()
    for statement in itertools.chain.from_iterable(map(paper.told, range(600))):
        if type(statement.target) is int and RELATIONS[statement.relation].is_entity:
            pair = (statement.page, statement.target)
            fact = (statement.relation, *(reversed(pair) if statement.inverse else pair))
            assert fact not in told
            told.add(fact)
    assert len(told) > 600


def test_pages_have_eight_to_twenty_sentences(paper: Encyclopedia) -> None:
    lengths = [len(sentences(paper.world, page)) for page in range(600)]
    assert min(lengths) >= 8
    assert max(lengths) <= 20


def test_second_names_lead_to_pages_and_homonyms_to_a_list(paper: Encyclopedia) -> None:
    world = paper.world
    aliases = [(a, t) for a, t in zip(world.aliases, world.titles, strict=True) if a]
    assert aliases
    for alias, title in aliases:
        page = paper.pages.page(alias)
        assert page is not None
        assert page.title == title
        assert alias in page.text
    assert len(world.homonyms) > 10
    for base, ids in world.homonyms.items():
        page = paper.pages.page(base)
        assert page is not None
        assert page.disambiguation
        assert "may refer to:" in page.text
        assert all(world.titles[i] in page.text for i in ids)
        kinds = [world.kinds[i] for i in ids]
        assert len(set(kinds)) == len(kinds) or set(kinds) == {"person"}


def test_some_titles_differ_in_one_letter() -> None:
    world = World(WorldSpec(seed=1, pages=400, near_misses=0.3))
    names = {word for title in world.titles for word in title.split()}
    near = sum(
        name[:i] + vowel + name[i + 1 :] in names
        for name in names
        for i in range(2, len(name))
        for vowel in "aeiou"
        if name[i] in "aeiou" and vowel != name[i]
    )
    assert near > 50


def test_parents_are_older_and_capitals_lie_in_their_countries(paper: Encyclopedia) -> None:
    world = paper.world
    for person in world.range["person"]:
        born = int(world.value("birth_year", person) or 0)
        for parent in ("father", "mother"):
            who = world.value(parent, person)
            if who is not None:
                assert 18 <= born - int(world.value("birth_year", int(who)) or 0) <= 45
                assert world.female[int(who)] == (parent == "mother")
    for country in world.range["country"]:
        capital = world.value("capital", country)
        assert capital is not None
        assert world.value("country", int(capital)) == country


def test_rulers_follow_each_other_without_a_gap(paper: Encyclopedia) -> None:
    for reigns in paper.world.reigns.values():
        assert all(a.end == b.begin for a, b in itertools.pairwise(reigns))
        assert reigns[0].begin == 1500
        assert reigns[-1].end >= 1950


def test_passages_hold_the_whole_page_in_whole_sentences(paper: Encyclopedia) -> None:
    for page in range(0, 600, 7):
        parts = passages(paper.world, page)
        text = article(paper.world, page).text.replace("\n", " ")
        assert " ".join(part.text for part in parts) == text
        assert all(part.title == paper.world.titles[page] for part in parts)
        assert all(part.text.endswith(".") for part in parts)


def test_terse_pages_are_labels_and_values_of_one_word() -> None:
    world = World(WorldSpec(seed=2, style="terse"))
    for page in range(50):
        text = article(world, page).text
        assert "\n" not in text
        first, *told = text.split(". ")
        assert first.rstrip(".").split(" ") == [world.titles[page], world.kinds[page]]
        for sentence in told:
            label, value, *more = sentence.rstrip(".").split(" ")
            assert value
            assert not more or label in ("ruler", *(persons.name for persons in LISTS))


def test_terse_worlds_of_a_split_share_five_hundred_names() -> None:
    """So that a small tokenizer can hold each as one token."""
    worlds = [World(WorldSpec(seed=s, style="terse")) for s in range(60)]
    assert len({title for world in worlds for title in world.titles}) <= 512
    train = World(WorldSpec(seed=0, style="terse", split="train"))
    shared = World(WorldSpec(seed=0, style="terse", names="shared"))
    assert set(worlds[0].titles).isdisjoint(train.titles)
    assert shared.titles != train.titles
    assert {t[0] for t in shared.titles} <= {t[0] for t in terse_titles("train")}


def terse_titles(split: Literal["train", "test"]) -> list[str]:
    specs = (WorldSpec(seed=seed, style="terse", split=split) for seed in range(30))
    return [title for spec in specs for title in World(spec).titles]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"pages": 49}, "from 50 to 100000"),
        ({"pages": 100_001}, "from 50 to 100000"),
        ({"pages": 60.0}, "from 50 to 100000"),
        ({"split": "dev"}, "split must be one of"),
        ({"style": "verse"}, "style must be one of"),
        ({"names": "own"}, "names must be one of"),
        ({"seed": "1"}, "seed must be an int"),
        ({"aliases": 1.5}, "share in"),
    ],
)
def test_wrong_settings_raise_at_once(changed: dict[str, object], told: str) -> None:
    with pytest.raises(ArgumentError, match=told):
        replace(WorldSpec(), **changed)  # type: ignore[arg-type]

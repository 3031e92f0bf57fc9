"""The oracle of synthetic wiki questions: it solves all of them, by what the tools show it."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import pytest

from react_envs.agents import make_policy
from react_envs.dialects import DIALECTS
from react_envs.errors import ArgumentError
from react_envs.retrieval import PageStore, PassageStore
from react_envs.rollout import EpisodeRecord, play, run_episodes
from react_envs.tasks.synthetic_wiki import QUESTION_TYPES

N = 5
"""Episodes of a kind; benchmarks/wiki.py plays 2,000."""


def run(n: int = N, agent_env: Any = None, **options: Any) -> list[EpisodeRecord]:
    passages = {} if options.get("mode", "pages") == "pages" else {"k": 5}
    settings = {"split": "synthetic_test", **passages, **options}
    env = gym.make("ReactWiki-v0", **settings)
    policy = make_policy("oracle", env)
    records = [play(env, policy, i) for i in range(n)]
    env.close()
    return records


@pytest.mark.parametrize("kind", QUESTION_TYPES)
@pytest.mark.parametrize("mode", ["pages", "passages", "both"])
@pytest.mark.parametrize("style", ["prose", "terse"])
def test_the_oracle_solves_every_question_through_the_real_tools(
    kind: str, mode: str, style: str
) -> None:
    records = run(mode=mode, world={"questions": [kind], "style": style})
    assert [record.reward for record in records] == [1.0] * N
    assert all(record.calls for record in records)
    assert not any(turn.parse_error for record in records for turn in record.turns)


@pytest.mark.parametrize("style", ["prose", "terse"])
def test_the_oracle_solves_strict_pages_and_shared_worlds(style: str) -> None:
    world = {"questions": QUESTION_TYPES, "style": style, "shared": True, "pages": 300}
    assert all(r.reward == 1.0 for r in run(24, strict_react=True, world=world))
    assert all(r.reward == 1.0 for r in run(24, dialect="hermes", world=world))


@pytest.mark.parametrize("name", [*DIALECTS])
def test_the_oracle_speaks_every_dialect(name: str) -> None:
    assert [r.reward for r in run(3, dialect=name, max_steps=20, world={"hops": 2})] == [1.0] * 3


def test_the_oracle_goes_on_where_the_scaffold_stands() -> None:
    (record,) = run(1, dialect="react_paper", max_steps=20, world={"hops": 2})
    for number, turn in enumerate(record.turns, 1):
        assert turn.kept.startswith(" I ")
        assert f"\nAction {number}: " in turn.kept


def test_arithmetic_over_several_pages_is_computed_by_python() -> None:
    env = gym.make("ReactMultiTool-v0", split="synthetic_test")
    records = list(run_episodes(lambda: env, make_policy("oracle", env), range(10)))
    assert all(record.reward == 1.0 for record in records)
    for record in records:
        names = [turn.call.name for turn in record.turns if turn.call]
        assert names[-1] == "python"
        assert names.count("search") >= 3
        assert record.answer == record.turns[-2].tool_result


@pytest.mark.parametrize("mode", ["pages", "passages"])
def test_a_source_that_shows_nothing_costs_the_oracle_its_score(mode: str) -> None:
    world = {"questions": ["bridge"], "hops": 2}
    source = {"pages": PageStore([])} if mode == "pages" else {"retriever": PassageStore([])}
    records = run(mode=mode, world=world, **source)
    assert all(record.reward == 0.0 for record in records)


def test_the_oracle_meets_second_names_and_lists_of_meanings() -> None:
    """What pages are for: it does not only ask for titles."""
    records = run(40, world={"questions": ["bridge"], "hops": 4, "homonyms": 0.3, "aliases": 0.6})
    asked = [
        (turn.call.arguments["entity"], turn.tool_result or "", turn.tool_meta)
        for record in records
        for turn in record.turns
        if turn.call is not None and isinstance(turn.call.arguments, dict)
        if turn.call.name == "search"
    ]
    assert any(shown.startswith("Could not find [") for _, shown, _ in asked)
    assert any(entity != meta["title"] for entity, _, meta in asked if meta["found"])
    assert all(record.reward == 1.0 for record in records)


def test_other_tasks_have_no_solution_to_play(tmp_path: Any) -> None:
    file = tmp_path / "b.json"
    file.write_text('[{"Question": "Who?", "answer": ["me"]}]')
    env = gym.make("ReactBamboogle-v0", data=str(file))
    with pytest.raises(ArgumentError, match="worked solutions"):
        make_policy("oracle", env)

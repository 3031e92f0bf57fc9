"""Synthetic wiki questions: sound, unique, disjoint by split, and without a short cut."""

from __future__ import annotations

import json
import pickle
import re
from typing import Any

import pytest

from react_envs.errors import ArgumentError
from react_envs.tasks import SyntheticWiki
from react_envs.tasks.synthetic_wiki import NO_ANSWER, QUESTION_TYPES, world_of
from react_envs.types import Task
from react_envs.worlds.gates import closed_book, one_shot
from react_envs.worlds.world import VERSION

every_type = pytest.mark.parametrize("kind", QUESTION_TYPES)
every_style = pytest.mark.parametrize("style", ["prose", "terse"])


def tasks_of(n: int, split: str = "test", **options: object) -> list[Task]:
    tasks = SyntheticWiki(split, **options)  # type: ignore[arg-type]
    return [tasks[i] for i in range(n)]


def lines_of(task: Task) -> list[tuple[str, str, str]]:
    """Title, sentence and mention of each line of a solution."""
    lines = []
    for line in (task.solution or "").split("\n"):
        if line.startswith("["):
            title, _, rest = line[1:].partition("] ")
            sentence, _, mention = rest.rpartition(" => ")
            lines.append((title, sentence, mention))
    return lines


@every_type
@every_style
def test_a_question_says_what_it_is_and_not_its_answer(kind: str, style: str) -> None:
    for task in tasks_of(60, questions=[kind], style=style):
        assert task.metadata["type"] == kind
        assert json.loads(json.dumps(task.metadata)) == task.metadata
        assert task.question.endswith(("?", "."))
        assert "the the" not in task.question
        assert "{" not in task.question
        if not task.answers[0].isdigit():
            assert task.answers[0] not in task.question
        if kind == "unanswerable":
            assert task.answers == NO_ANSWER
        assert task.metadata["hops"] >= (1 if kind in ("bridge", "inverse", "unanswerable") else 3)


@every_type
@every_style
def test_every_sentence_of_a_solution_stands_on_its_page(kind: str, style: str) -> None:
    for task in tasks_of(40, questions=[kind], style=style):
        paper = world_of(task)
        lines = lines_of(task)
        assert {title for title, *_ in lines} == set(task.metadata["supporting_titles"])
        for title, sentence, mention in lines:
            page = paper.pages.page(title)
            assert page is not None
            if sentence.startswith("("):
                assert not mention
                continue
            assert sentence in page.text
            assert mention in sentence


def test_the_last_sentence_of_a_chain_names_the_answer() -> None:
    for task in tasks_of(100, questions=["bridge", "inverse"]):
        mention = lines_of(task)[-1][2]
        assert mention.replace(",", "") in task.answers


def test_a_chain_names_its_first_entity_only() -> None:
    """The others must be found: their titles are not in the question."""
    for task in tasks_of(100, questions=["bridge"], hops=[2, 4]):
        first, *others = task.metadata["supporting_titles"]
        assert first in task.question
        assert not any(title in task.question for title in others)


def test_an_index_is_a_question_for_ever() -> None:
    """A change here changes which question an index names: it needs a new VERSION."""
    assert VERSION == 1
    task = SyntheticWiki("test")[0]
    assert task == SyntheticWiki("test")[0]
    assert task.answers == ("Quaimbullu Yistader",)
    assert task.question == (
        "Find the one who joined the organisation that printed A Year in Rurkekist and who also "
        "joined the Rugetirn Company."
    )


CHANGES: list[dict[str, Any]] = [
    {}, {"split": "train"}, {"seed": 1}, {"pages": 60}, {"shared": True}, {"hops": 2},
    {"style": "terse"},
]  # fmt: skip


def test_seeds_splits_and_options_are_streams_of_their_own() -> None:
    streams = [
        SyntheticWiki(**{"split": "test", "questions": ["bridge"], "hops": 3, **changed})
        for changed in CHANGES
    ]
    assert len({s.fingerprint for s in streams}) == len(streams)
    assert len({s[1].question for s in streams}) == len(streams)
    copied = pickle.loads(pickle.dumps(streams[2]))
    assert (copied.fingerprint, copied[5]) == (streams[2].fingerprint, streams[2][5])


def test_a_fresh_world_for_each_question_or_one_for_all() -> None:
    fresh = {task.metadata["world"]["seed"] for task in tasks_of(30)}
    shared = {task.metadata["world"]["seed"] for task in tasks_of(30, shared=True)}
    assert (len(fresh), len(shared)) == (30, 1)


def test_no_composition_of_relations_stands_in_both_splits() -> None:
    compositions = [
        {tuple(task.metadata["composition"]) for task in tasks_of(300, split)}
        for split in ("train", "test")
    ]
    common = compositions[0] & compositions[1]
    assert all(len(composition) == 1 for composition in common)
    assert all(sum(len(c) > 1 for c in part) > 100 for part in compositions)


def test_answers_have_their_other_names() -> None:
    answers = [task.answers for task in tasks_of(150, questions=["bridge"], homonyms=0.2)]
    assert any(len(names) > 1 for names in answers)
    in_parentheses = [names for names in answers if names[0].endswith(("(city)", "(river)"))]
    assert in_parentheses
    assert all(names[1] == names[0].partition(" (")[0] for names in in_parentheses)
    numbered = [names for names in answers if names[0].endswith(("(I)", "(II)"))]
    assert numbered
    assert not any(name == names[0].partition(" (")[0] for names in numbered for name in names)


def test_hops_choose_the_length_of_bridges() -> None:
    for hops in (1, 2, 3, 4):
        for task in tasks_of(20, questions=["bridge"], hops=hops):
            assert task.metadata["hops"] == len(lines_of(task)) == hops
    lengths = {task.metadata["hops"] for task in tasks_of(60, questions=["bridge"], hops=[2, 3])}
    assert lengths == {2, 3}


def test_a_world_of_two_thousand_pages_can_be_asked_about() -> None:
    tasks = tasks_of(30, shared=True, pages=2000, questions=QUESTION_TYPES)
    assert len({task.question for task in tasks}) == 30
    assert len(world_of(tasks[0]).pages) > 2000


@pytest.mark.parametrize("index", [-1, 2**31 - 1])
def test_there_is_no_index_beyond_the_end(index: int) -> None:
    with pytest.raises(IndexError, match="from 0"):
        SyntheticWiki("test")[index]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"split": "dev"}, "split must be one of"),
        ({"seed": -1}, "seed from 0"),
        ({"questions": ["riddle"]}, "expected questions of bridge"),
        ({"questions": "bridge"}, "expected questions of"),
        ({"questions": []}, "expected questions of"),
        ({"hops": 0}, "hops from 1 to 4"),
        ({"hops": [3, 2]}, "hops from 1 to 4"),
        ({"hops": 2.5}, "hops from 1 to 4"),
        ({"shared": 1}, "shared to be True or False"),
        ({"pages": 10}, "from 50"),
        ({"page": 50}, "no world can be made"),
    ],
)
def test_wrong_arguments_raise_at_once(options: dict[str, object], told: str) -> None:
    with pytest.raises(ArgumentError, match=told):
        SyntheticWiki(**options)  # type: ignore[arg-type]


def test_a_world_too_small_for_a_question_says_so() -> None:
    """In a shared world there is no other one to turn to."""
    tasks = SyntheticWiki("test", seed=3, shared=True, questions=["inverse"], inverses=0.0)
    with pytest.raises(ArgumentError, match=r"found no 'inverse' question .* more pages than 50"):
        tasks[0]


def test_a_task_of_another_set_has_no_world() -> None:
    with pytest.raises(ArgumentError, match="need a source of pages"):
        world_of(Task("Who?", ("me",)))


# The gates: how far a short cut leads. docs/wiki.md has the figures of larger runs.


def test_a_closed_book_guesser_scores_near_zero() -> None:
    studied, asked = (SyntheticWiki(s, questions=QUESTION_TYPES) for s in ("train", "test"))
    shares = closed_book((studied[i] for i in range(600)), (asked[i] for i in range(600)))
    # they look like all others; who always says "no answer" is right in these alone
    assert shares.pop("unanswerable")[0] == 1.0
    # numbers of persons lie between 8 and 40, so that a constant hits one in twenty
    assert shares.pop("count")[0] <= 0.12
    assert len(shares) == 6
    assert all(share <= 0.03 for share, _ in shares.values()), shares


def test_one_search_with_the_question_does_not_show_what_a_reader_needs() -> None:
    tasks = SyntheticWiki("test", shared=True, pages=2000, questions=QUESTION_TYPES)
    retriever = world_of(tasks[0]).passages
    shares = one_shot((tasks[i] for i in range(400)), retriever, k=5)
    one_hop = [shares.pop(name)[0] for name in ("bridge 1", "inverse 1")]
    assert min(one_hop) > 0.7, "the retriever works: one hop is one search"
    assert all(share <= 0.10 for share, _ in shares.values()), shares


def test_the_mix_is_even() -> None:
    kinds = [task.metadata["type"] for task in tasks_of(280)]
    counts = {kind: kinds.count(kind) for kind in set(kinds)}
    assert set(counts) == set(QUESTION_TYPES) - {"arithmetic"}
    assert all(25 <= count <= 55 for count in counts.values())


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("kind", ["count", "intersection"])
def test_lists_are_compared_by_what_their_sentences_say(split: Any, kind: str) -> None:
    tasks = SyntheticWiki(split, questions=[kind])
    for index in range(150):
        task = tasks[index]
        mentions = re.findall(r" => (.*)", task.solution or "")[-2:]
        one, other = (set(re.split(r", | and ", mention)) for mention in mentions)
        found = one & other if kind == "intersection" else {str(len(one | other))}
        assert found == {task.answers[0]}, (index, task.solution)


def test_a_share_is_one_number_however_it_is_written() -> None:
    first, second = (SyntheticWiki("test", homonyms=share) for share in (0, 0.0))
    assert first.fingerprint == second.fingerprint
    assert first[5] == second[5]
    assert first[5].metadata["world"]["homonyms"] == 0.0
    with pytest.raises(ArgumentError, match="share"):
        SyntheticWiki("test", homonyms=True)

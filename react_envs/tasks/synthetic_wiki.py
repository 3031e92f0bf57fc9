"""Synthetic questions over synthetic encyclopedias: offline, without end, each with its proof."""

from __future__ import annotations

import hashlib
import operator
from collections.abc import Sequence
from random import Random
from typing import Any, Literal, SupportsIndex

from react_envs.errors import ArgumentError
from react_envs.types import Task
from react_envs.worlds.ask import ask, ask_tersely
from react_envs.worlds.draw import TYPES, Draft, Drawer
from react_envs.worlds.encyclopedia import Encyclopedia, encyclopedia
from react_envs.worlds.queries import Arithmetic
from react_envs.worlds.relations import RELATIONS
from react_envs.worlds.world import VERSION, World, WorldSpec
from react_envs.worlds.writing import sentence_of

__all__ = ["NO_ANSWER", "QUESTION_TYPES", "SyntheticWiki", "world_of"]

NO_ANSWER = ("no answer", "noanswer", "unanswerable", "not answerable", "unknown")
"""Gold answers of a question that the encyclopedia does not answer."""

QUESTION_TYPES = tuple(TYPES)

_READ_ONLY = tuple(name for name in TYPES if name != "arithmetic")
_WORLDS = 2**31
_ATTEMPTS = 8
"""About one small world in a thousand has no question of some type."""


class SyntheticWiki:
    """Questions of eight types about invented worlds, to be answered from pages or passages.

    By default each question has a world of its own, so nothing can be learned by heart; with
    `shared=True` all are about one. A task depends on the arguments and its index alone.

    `solution` lists the sentences to find, with their pages; `metadata` has the type, the hops,
    the relations, the supporting titles and the `world` (see `world_of`). Every question
    was solved from the pages' statements alone: its answer is the only one, and without any one
    of its supporting pages there is none. "unanswerable" questions look like the others; their
    answer is "no answer".

    Train and test are disjoint: other worlds, other names (no invented word stands in both,
    unless `names="shared"`), other sentences and question wordings, other compositions of two
    and more relations. Single relations are the same.

    Args:
        split: `"train"` or `"test"`.
        seed: any integer from 0; another seed is another stream of worlds and questions.
        questions: the types to draw from, evenly; all but "arithmetic" by default.
        hops: steps of a "bridge" question, 1 to 4: one number or an inclusive range.
        shared: one world for all questions instead of one for each.
        **options: pages, style, names, homonyms, aliases, near_misses, inverses (see `WorldSpec`).

    Raises:
        ArgumentError: if an argument is none of these.

    >>> task = SyntheticWiki("test", questions=["bridge"], hops=2)[0]
    >>> print(task.question.replace(": ", ":\\n"))
    Which organisation do these words describe:
    the organisation that employed the one who first mapped the Noldilu?
    >>> for line in task.solution.split("\\n"):
    ...     print(line.partition(" => ")[0])
    [Noldilu] The Noldilu appeared on a map by Trassoti Wefanni (II) for the first time.
    [Trassoti Wefanni (II)] Wefanni earned a living at the Wisialas Academy.
    Answer: Wisialas Academy
    """

    name = "synthetic_wiki"

    def __init__(
        self,
        split: Literal["train", "test"] = "test",
        seed: int = 0,
        questions: Sequence[str] = _READ_ONLY,
        hops: int | Sequence[int] = (1, 4),
        shared: bool = False,
        **options: Any,
    ) -> None:
        if type(seed) is not int or seed < 0:
            raise ArgumentError(f"expected a seed from 0, got {seed!r}")
        if not isinstance(shared, bool):
            raise ArgumentError(f"expected shared to be True or False, got {shared!r}")
        unknown = [name for name in questions if name not in TYPES]
        if isinstance(questions, str) or not questions or unknown:
            raise ArgumentError(f"expected questions of {', '.join(TYPES)}, got {questions!r}")
        self.split = split
        self.seed = seed
        self.questions = tuple(questions)
        self.hops = _hop_range(hops)
        self.shared = shared
        self._options = options
        spec = self._world_spec(0).as_json()  # complains about the options at once
        self._options = {name: spec[name] for name in options}
        settings = (self.name, VERSION, split, seed, self.questions, self.hops, shared)
        text = f"{settings} {sorted(self._options.items())}"
        self.fingerprint = f"sha256:{hashlib.sha256(text.encode()).hexdigest()[:16]}"

    def __len__(self) -> int:
        """2**31 - 1: an index fits in 32 bits, and nobody reaches the end."""
        return 2**31 - 1

    def __getitem__(self, index: SupportsIndex) -> Task:
        """The question at `index`, from 0 to `len(self) - 1`; the end is no wrap-around."""
        position = operator.index(index)
        if not 0 <= position < len(self):
            raise IndexError(f"expected an index from 0 to {len(self) - 1}, got {position}")
        key = f"{self.name} {VERSION} {self.split} {self.seed} {position}"
        random = Random(int.from_bytes(hashlib.sha256(key.encode()).digest(), "big")).random
        low, high = self.hops
        type = self.questions[int(random() * len(self.questions))]
        hops = low + int(random() * (high - low + 1))
        for attempt in range(_ATTEMPTS):
            paper = encyclopedia(self._world_spec(position, attempt))
            draft = Drawer(paper, random).draw(type, hops)
            if draft is not None:
                break
        else:
            raise ArgumentError(
                f"found no {type!r} question in {_ATTEMPTS} worlds; give them more pages than "
                f"{paper.world.spec.pages}"
            )
        world = paper.world
        terse = world.spec.style == "terse"
        return Task(
            question=ask_tersely(world, draft) if terse else ask(world, draft, random),
            answers=_answers(world, draft),
            index=position,
            dataset=self.name,
            split=self.split,
            solution=_solution(paper, draft),
            metadata={
                "type": draft.type,
                "hops": len(draft.reading) + (draft.missing is not None),
                "composition": list(draft.query.composition),
                "supporting_titles": [world.titles[page] for page in draft.support],
                "world": world.spec.as_json(),
            },
        )

    def _world_spec(self, position: int, attempt: int = 0) -> WorldSpec:
        """The world of a question; another one if it allows no such question."""
        seed = self.seed * _ATTEMPTS * _WORLDS
        if not self.shared:
            seed += attempt * _WORLDS + position
        try:
            return WorldSpec(seed=seed, split=self.split, **self._options)
        except TypeError as error:
            raise ArgumentError(f"no world can be made with {self._options}: {error}") from error


def world_of(task: Task) -> Encyclopedia:
    """The encyclopedia that a synthetic task is about.

    Raises:
        ArgumentError: for a task that is about none.
    """
    try:
        return encyclopedia(WorldSpec(**task.metadata["world"]))
    except (KeyError, TypeError) as error:
        raise ArgumentError(
            f"the task {task.dataset}/{task.split} {task.index} has no synthetic world; "
            "its questions need a source of pages: pages=, retriever= or corpus="
        ) from error


def _hop_range(hops: Any) -> tuple[int, int]:
    match (
        [hops, hops]
        if type(hops) is int
        else list(hops)
        if isinstance(hops, list | tuple)
        else hops
    ):
        case [int(low), int(high)] if 1 <= low <= high <= 4:
            return low, high
    raise ArgumentError(f"expected hops from 1 to 4, or (fewest, most), got {hops!r}")


def _answers(world: World, draft: Draft) -> tuple[str, ...]:
    """The gold answer and its other names."""
    if draft.answer is None:
        return NO_ANSWER
    if draft.kind in ("year", "number", "word"):
        last = RELATIONS.get(draft.query.composition[-1].lstrip("~"))
        unit = last.unit if last is not None and draft.type != "arithmetic" else ""
        return (str(draft.answer), *([f"{draft.answer} {unit}"] if unit else []))
    entity = int(draft.answer)
    # of two persons of one name only the whole title says which; a city and a river differ anyway
    base = world.titles[entity] if draft.kind == "person" else world.bases[entity]
    names = (world.titles[entity], base, world.aliases[entity])
    return tuple(dict.fromkeys(name for name in names if name))


def _solution(paper: Encyclopedia, draft: Draft) -> str:
    """What to read, a sentence a line, then what to compute, then the answer."""
    titles, lines = paper.world.titles, []
    for statement in draft.reading:
        sentence = sentence_of(paper.world, statement)
        lines.append(f"[{titles[statement.page]}] {sentence.text} => {sentence.mention}")
    if draft.missing is not None:
        page, relation = draft.missing
        lines.append(f"[{titles[page]}] ({relation.replace('_', ' ')} is not told) => ")
    if isinstance(draft.query, Arithmetic):
        sign = " + " if draft.query.operation == "sum" else " * "
        terms = [chain.solve(paper.facts).pop() for chain in draft.query.numbers]
        lines.append(f"Compute: {sign.join(map(str, terms))}")
    lines.append(f"Answer: {_answers(paper.world, draft)[0]}")
    return "\n".join(lines)

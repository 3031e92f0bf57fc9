"""Trace: an episode as tokens, each with the one who put it there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from react_envs.errors import ArgumentError

__all__ = [
    "IGNORE_INDEX",
    "Dropped",
    "EpisodeRow",
    "Fork",
    "Owner",
    "Problem",
    "Sample",
    "Segment",
    "Trace",
    "TurnRow",
    "owner_set",
]

IGNORE_INDEX = -100
"""Label of a position that does not count, as torch's cross entropy has it."""


class Owner(IntEnum):
    """Who put a token into the context. What is trained is a set of owners, chosen later."""

    PROMPT = 0
    """What stood before the agent's first token, or before that of a fork."""
    AGENT = 1
    """Sampled by the policy, and kept."""
    ENV = 2
    """Content of an observation."""
    SCAFFOLD = 3
    """Added unsampled around the two: headers, an end-of-turn token, its line break, the rest of
    a turn that was cut inside a token."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of tokens of one owner and one turn."""

    start: int
    end: int
    """Positions `start` (inclusive) to `end` (exclusive) of the trace."""
    owner: Owner
    turn: int
    text: bytes
    """What the tokens write; special tokens write nothing."""
    exact: bool
    """True if these are the ids that the engine sampled or read, False if we encoded text."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """The tail of a turn that the environment cut: sampled, but not in any context."""

    turn: int
    ids: tuple[int, ...]
    text: str
    """What was cut, as text; `ids` are empty where the turn had none."""


@dataclass(frozen=True, slots=True)
class Fork:
    """Where the context did not extend what was recorded, and a new sample begins."""

    at: int
    """Position of the new sample's first token."""
    turn: int
    """The turn that was written in the new context."""
    common: int
    """How many tokens the new context shares with the old sample, from its beginning."""
    reason: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a sample must not be trained; `Trace.to_samples` leaves it out."""

    turn: int
    reason: str


@dataclass(frozen=True, slots=True)
class TurnRow:
    """One step of the episode."""

    turn: int
    start: int
    end: int
    """Span of the agent's tokens; empty if none was kept."""
    reward: float
    reward_terms: Mapping[str, float]
    action_ok: bool
    """True if the turn could be parsed and its tool, if any, did what it was asked."""
    state_key: str
    """Digest of what the turn answered: equal for equal states (GiGPO's anchor states)."""
    finish_reason: str | None
    env_tokens: int
    """Number of tokens of the observation that followed."""
    sampled_tokens: int
    """Number of tokens that the engine sampled, the dropped ones included; -1 if unknown."""
    exact: bool
    terminated: bool
    truncated: bool


@dataclass(frozen=True, slots=True)
class EpisodeRow:
    """The episode as a whole."""

    group_id: str
    """Equal for episodes of one task: the group of GRPO."""
    trajectory_id: str
    seed: int | None
    sample_index: int = 0
    """Which of the group's episodes this is, as far as the recorder that wrote it knows."""
    reward: float = 0.0
    """Sum of the turns' rewards: the undiscounted return."""
    reward_terms: Mapping[str, float] = field(default_factory=dict)
    stop_reason: str | None = None
    terminated: bool = False
    truncated: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """What one forward pass reads: a prompt, then turns and what came back, append-only."""

    ids: NDArray[np.int32]
    """Shape (T,)."""
    source: NDArray[np.uint8]
    """Shape (T,): the `Owner` of each token."""
    turn: NDArray[np.int16]
    """Shape (T,): the step that a token belongs to, -1 in the prompt."""
    logprob: NDArray[np.float32]
    """Shape (T,): as sampled, NaN where not sampled or unknown."""
    turns: tuple[TurnRow, ...]
    """The turns sampled in this context; spans count from the sample's first token."""
    episode: EpisodeRow

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def attention_mask(self) -> NDArray[np.int64]:
        """Ones, shape (T,): every token is read, whoever wrote it."""
        return np.ones(len(self.ids), dtype=np.int64)

    @property
    def position_ids(self) -> NDArray[np.int64]:
        """0 to T - 1."""
        return np.arange(len(self.ids), dtype=np.int64)

    def loss_mask(self, train: Iterable[Owner | str] = (Owner.AGENT,)) -> NDArray[np.bool_]:
        """Shape (T,): True at the tokens of the owners in `train`."""
        return np.isin(self.source, [int(owner) for owner in owner_set(train)])

    def labels(
        self, train: Iterable[Owner | str] = (Owner.AGENT,), ignore_index: int = IGNORE_INDEX
    ) -> NDArray[np.int64]:
        """Shape (T,): the ids where they are trained, `ignore_index` elsewhere; not shifted."""
        return np.where(self.loss_mask(train), self.ids, ignore_index).astype(np.int64)

    def truncated(self, max_tokens: int) -> Sample:
        """The first `max_tokens` tokens, all arrays cut alike, spans of turns too.

        Raises:
            ArgumentError: if `max_tokens` is negative.
        """
        if max_tokens < 0:
            raise ArgumentError(f"max_tokens must not be negative, actually: {max_tokens}")
        n = min(max_tokens, len(self.ids))
        turns = tuple(
            replace(row, start=min(row.start, n), end=min(row.end, n)) for row in self.turns
        )
        return replace(
            self,
            ids=self.ids[:n],
            source=self.source[:n],
            turn=self.turn[:n],
            logprob=self.logprob[:n],
            turns=turns,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """An episode as the policy read and wrote it: flat arrays, and tables over them.

    Samples follow each other in the arrays: a new one begins at each fork. A sample holds
    what its forward pass reads, from its first token to the last that was added.
    """

    ids: NDArray[np.int32]
    source: NDArray[np.uint8]
    """The `Owner` of each token."""
    turn: NDArray[np.int16]
    """The step that a token belongs to, its observation included; -1 in prompts."""
    logprob: NDArray[np.float32]
    """As the engine gave it at tokens of the agent, NaN elsewhere."""
    segments: tuple[Segment, ...]
    turns: tuple[TurnRow, ...]
    episode: EpisodeRow
    dropped: tuple[Dropped, ...] = ()
    forks: tuple[Fork, ...] = ()
    problems: tuple[Problem, ...] = ()
    straddles: int = 0
    """Tokens that two owners share (text that was encoded as a whole, cuts inside a token)."""
    unread: str = ""
    """The last observation of a truncated episode: no policy ever read it, so it has no tokens."""

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def exact(self) -> bool:
        """True if every id is one that the engine sampled or read."""
        return all(segment.exact for segment in self.segments)

    def to_samples(self) -> list[Sample]:
        """The samples that may be trained: those that no problem was found in."""
        starts = [0, *(fork.at for fork in self.forks)]
        ends = [*starts[1:], len(self.ids)]
        first_turns = [0, *(fork.turn for fork in self.forks)]
        last_turns = [*first_turns[1:], len(self.turns)]
        bad = {problem.turn for problem in self.problems}
        samples = []
        for a, b, first, last in zip(starts, ends, first_turns, last_turns, strict=True):
            if a < b and bad.isdisjoint(range(first, max(last, first + 1))):
                own = self.turns[first:last]
                rows = tuple(replace(row, start=row.start - a, end=row.end - a) for row in own)
                arrays = (self.ids[a:b], self.source[a:b], self.turn[a:b], self.logprob[a:b])
                samples.append(Sample(*arrays, rows, self.episode))
        return samples

    def check(self) -> None:
        """Check that arrays, segments and tables agree.

        Raises:
            ArgumentError: naming the first law that is broken.
        """
        n = len(self.ids)
        _law({n} == {len(self.source), len(self.turn), len(self.logprob)}, "one length")
        borders = [0, *(segment.end for segment in self.segments)]
        starts = [segment.start for segment in self.segments]
        _law(starts == borders[:-1] and borders[-1] == n, "segments without gap or overlap")
        for s in self.segments:
            _law(s.start < s.end, "no empty segment")
            _law(bool((self.source[s.start : s.end] == int(s.owner)).all()), "one owner a token")
            _law(bool((self.turn[s.start : s.end] == s.turn).all()), "one turn a token")
        sampled = self.source == int(Owner.AGENT)
        _law(bool(np.isnan(self.logprob[~sampled]).all()), "log-probabilities are the agent's")
        _law([r.turn for r in self.turns] == list(range(len(self.turns))), "turns in order")
        agent = sum(row.end - row.start for row in self.turns)
        _law(agent == int(sampled.sum()), "the agent's tokens lie in its turns")
        for row in self.turns:
            _law(bool((self.turn[row.start : row.end] == row.turn).all()), "spans name their turn")
            env = int(((self.source == int(Owner.ENV)) & (self.turn == row.turn)).sum())
            _law(env == row.env_tokens, "counts of observations")
        _law(all(0 < fork.at <= n for fork in self.forks), "forks lie inside")
        for a, b in zip(
            [0, *(f.at for f in self.forks)], [*(f.at for f in self.forks), n], strict=True
        ):
            _law(bool((np.diff(self.turn[a:b].astype(int)) >= 0).all()), "turns only grow")

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON values; `from_json` gives it back.

        Unknown log-probabilities are null, infinite ones the texts "inf" and "-inf", bytes
        are Latin-1 text.
        """
        tables = {name: [asdict(row) for row in getattr(self, name)] for name in _TABLES}
        for segment in tables["segments"]:
            segment["text"] = segment["text"].decode("latin-1")
            segment["owner"] = segment["owner"].name
        for row in tables["dropped"]:
            row["ids"] = list(row["ids"])
        return {
            "ids": self.ids.tolist(),
            "source": self.source.tolist(),
            "turn": self.turn.tolist(),
            "logprob": [_json_number(float(value)) for value in self.logprob],
            **tables,
            "episode": asdict(self.episode),
            "straddles": self.straddles,
            "unread": self.unread,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | str) -> Trace:
        """The trace that `to_json` wrote, as its value or as text.

        Raises:
            ArgumentError: if it is not one, or breaks a law that `check` knows.
        """
        try:
            value = json.loads(value) if isinstance(value, str) else value
            tables = {name: list(map(dict, value[name])) for name in _TABLES}
            for segment in tables["segments"]:
                segment["text"] = segment["text"].encode("latin-1")
                segment["owner"] = Owner[segment["owner"]]
            for row in tables["dropped"]:
                row["ids"] = tuple(row["ids"])
            logprob = [np.nan if item is None else float(item) for item in value["logprob"]]
            for name in ("ids", "source", "turn"):
                _law(all(type(item) is int for item in value[name]), f"{name} are integers")
            _law(type(value["straddles"]) is int, "a number of straddles")
            trace = cls(
                np.asarray(value["ids"], dtype=np.int32),
                np.asarray(value["source"], dtype=np.uint8),
                np.asarray(value["turn"], dtype=np.int16),
                np.asarray(logprob, dtype=np.float32),
                episode=EpisodeRow(**value["episode"]),
                straddles=value["straddles"],
                unread=value["unread"],
                **{name: tuple(_TABLES[name](**row) for row in tables[name]) for name in _TABLES},
            )
        except ArgumentError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise ArgumentError(f"this is no trace: {type(error).__name__}: {error}") from error
        trace.check()
        return trace

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Trace):
            return NotImplemented
        arrays = ("ids", "source", "turn")
        return (
            all(np.array_equal(getattr(self, name), getattr(other, name)) for name in arrays)
            and np.array_equal(self.logprob, other.logprob, equal_nan=True)
            and all(
                getattr(self, f.name) == getattr(other, f.name)
                for f in fields(self)
                if f.name not in (*arrays, "logprob")
            )
        )

    __hash__ = None  # type: ignore[assignment]


_TABLES: dict[str, Any] = {
    "segments": Segment,
    "turns": TurnRow,
    "dropped": Dropped,
    "forks": Fork,
    "problems": Problem,
}


def _json_number(value: float) -> float | str | None:
    if np.isnan(value):
        return None
    return value if np.isfinite(value) else str(value)


def owner_set(train: Iterable[Owner | str]) -> frozenset[Owner]:
    """Owners by themselves or by name, in any case; "observation" is another name of ENV.

    >>> sorted(owner.name for owner in owner_set(["agent", Owner.ENV]))
    ['AGENT', 'ENV']
    """
    if isinstance(train, str | Owner):
        raise ArgumentError(f'expected owners in a list, such as ["agent"], got {train!r}')
    owners = set()
    for owner in train:
        name = str(owner).upper() if isinstance(owner, str) else Owner(owner).name
        name = "ENV" if name in ("OBSERVATION", "ENVIRONMENT") else name
        if name not in Owner.__members__:
            known = ", ".join(member.name.lower() for member in Owner)
            raise ArgumentError(f"unknown owner {owner!r}; known: {known}")
        owners.add(Owner[name])
    return frozenset(owners)


def _law(holds: bool, name: str) -> None:
    if not holds:
        raise ArgumentError(f"the trace breaks the law of {name!r}")

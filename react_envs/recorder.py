"""TraceRecorder: a conversation becomes a `Trace`, with the engine's own ids where it has them."""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Any, Literal

import numpy as np

from react_envs.alignment import Straddle, align
from react_envs.chat_template import ChatTemplate, Reply
from react_envs.errors import ArgumentError
from react_envs.tokenization import TokenCodec
from react_envs.trace import Dropped, EpisodeRow, Fork, Owner, Problem, Segment, Trace, TurnRow
from react_envs.types import Message

__all__ = ["TraceRecorder"]


@dataclass(slots=True)
class _Written:
    """The agent's turn, until the next context tells what of it stayed."""

    kept: str
    ids: list[int]
    logprobs: list[float] | None
    exact: bool
    counts: list[int]
    """How many of `ids` may have stayed; the first unless the next context says otherwise."""
    rests: dict[int, str] = field(default_factory=dict)
    """What of `kept` is not covered by so many ids, where that is something."""
    whole: bool = True
    """False if the environment cut the turn, or the engine did before its end."""
    spelt: bool = True
    """False if the ids do not spell the text that the environment read."""
    text: bytes | None = None
    """What all of `ids` write, where it was looked up."""
    observation: str = ""
    messages: Sequence[Message] = ()


class TraceRecorder:
    """Records an episode. `begin`, then for each turn `act` and `observe`, then `end`.

    The engine's ids are taken as they are wherever a `Completion` has them: sampled ids are
    never decoded and encoded again, and the ids of the next context say what the environment
    and the template added. If that context does not begin with what was recorded, a new sample
    begins (a fork). Without the engine's ids, text is encoded segment by segment, or a chat
    template says what it adds, and such segments are marked `exact=False`.

    Nothing that a policy or an environment says raises here: what cannot be recorded truly
    becomes a `Problem`, and `Trace.to_samples` leaves that sample out.

    Args:
        codec: of the policy's tokenizer.
        template: its chat template, for policies that chat; None where they continue text.
        whole: encode an episode given as text in one piece, and by which rule tokens that
            straddle a border are owned; None: segment by segment.
        end_of_turn: owner of the end-of-turn token after a turn that came without ids and was
            not cut. `Owner.AGENT` if the texts are a teacher's, whose student must learn to stop.
    """

    def __init__(
        self,
        codec: TokenCodec,
        template: ChatTemplate | None = None,
        *,
        whole: Straddle | None = None,
        end_of_turn: Literal[Owner.AGENT, Owner.SCAFFOLD] = Owner.SCAFFOLD,
    ) -> None:
        self.codec = codec
        self.template = template
        self.whole = whole
        self.end_of_turn = end_of_turn
        self.counts: Counter[str] = Counter()
        """Over all episodes: `episodes`, `turns`, `samples`, `dropped_samples`, `forks`,
        `straddles`, `inexact_turns`, `misspelt_turns`."""
        self._episode: EpisodeRow | None = None

    def begin(
        self, prompt: str, messages: Sequence[Message] = (), *, episode: EpisodeRow | None = None
    ) -> None:
        """Start an episode whose first context is `prompt`, or `messages` for a template."""
        self._clear()
        self._dropped: list[Dropped] = []
        self._forks: list[Fork] = []
        self._problems: list[Problem] = []
        self._rows: list[dict[str, Any]] = []
        self._straddles = 0
        self._start = 0
        self._prompt = prompt
        self._messages = list(messages)
        self._texts: list[tuple[str, Owner, int]] = [(prompt, Owner.PROMPT, -1)]
        self._only_text = True
        self._open: _Written | None = None
        self._rendered: list[str] | None = None
        self._roles: set[tuple[str, ...]] = set()
        self._replies = 0
        self._state = _digest(prompt)
        self._episode = episode or EpisodeRow(_digest(prompt), _digest(prompt), None)

    def _clear(self) -> None:
        self._ids: list[int] = []  # contexts are compared with it: lists are, the fastest way
        self._packed = array("i")
        self._source = bytearray()
        self._turn = array("h")
        self._logprob = array("f")
        self._segments: list[Segment] = []

    def act(self, action: str, kept: str | None = None) -> None:
        """Record a turn: what the policy wrote, and the beginning of it that stays."""
        turn = len(self._rows)
        kept = action if kept is None else kept
        context = getattr(action, "prompt_token_ids", None)
        context = context if context is None or isinstance(context, list) else list(context)
        if turn == 0:
            self._open_prompt(context)
        elif self._open is not None:
            self._close_turn(context)
        written = self._read(action, kept)
        self._open = written
        self._only_text &= not written.exact and context is None
        self._texts.append((kept, Owner.AGENT, turn))
        known = getattr(action, "token_ids", None) is not None
        self._rows.append(
            {
                "turn": turn,
                "start": len(self._ids),
                "end": len(self._ids),
                "reward": 0.0,
                "reward_terms": {},
                "action_ok": True,
                "state_key": self._state,
                "finish_reason": getattr(action, "finish_reason", None),
                "env_tokens": 0,
                "sampled_tokens": len(written.ids) if known and written.exact else -1,
                "exact": written.exact,
                "terminated": False,
                "truncated": False,
            }
        )

    def observe(self, observation: str, messages: Sequence[Message] = (), **row: Any) -> None:
        """Record what came back: text for the context, messages for a template.

        Args:
            observation: the new text.
            messages: the new messages, the agent's own (`assistant`) left out.
            row: fields of `TurnRow` that the environment knows (`reward`, `terminated`, ...).
        """
        assert self._open is not None, "observe() follows act()"
        self._open.observation = observation
        self._open.messages = list(messages)
        self._state = _digest(observation)
        self._rows[-1] |= row
        if observation:
            self._texts.append((observation, Owner.ENV, len(self._rows) - 1))

    def end(self, **episode: Any) -> Trace:
        """The trace of the episode; `episode` are fields of `EpisodeRow` known only now."""
        assert self._episode is not None, "end() follows begin()"
        unread = ""
        if self._open is None and not self._rows:
            self._open_prompt(None)
        elif self._open is not None:
            unread = self._open.observation
            self._keep(self._open, self._open.counts[0])
            self._check_spelling(self._open)
            self._end_turn(self._open)
            self._open = None
        if self.whole is not None and self._only_text and self._rows:
            self._align(self.whole, unread)
        trace = Trace(
            ids=np.array(self._packed, dtype=np.int32),
            source=np.frombuffer(bytes(self._source), dtype=np.uint8),
            turn=np.array(self._turn, dtype=np.int16),
            logprob=np.array(self._logprob, dtype=np.float32),
            segments=tuple(self._segments),
            turns=tuple(TurnRow(**row) for row in self._rows),
            episode=replace(self._episode, **episode),
            dropped=tuple(self._dropped),
            forks=tuple(self._forks),
            problems=tuple(self._problems),
            straddles=self._straddles,
            unread=unread,
        )
        samples = len(trace.to_samples())
        self.counts.update(
            episodes=1,
            turns=len(self._rows),
            samples=samples,
            dropped_samples=1 + len(self._forks) - samples,
            forks=len(self._forks),
            straddles=self._straddles,
            inexact_turns=sum(not row["exact"] for row in self._rows),
        )
        self._episode = None
        return trace

    # The first context, and what lies between a turn and the next.

    def _open_prompt(self, context: Sequence[int] | None) -> None:
        if context is not None:
            self._append(context, Owner.PROMPT, -1, exact=True)
        elif self.template is None:
            self._append(self.codec.encode_prompt(self._prompt), Owner.PROMPT, -1, exact=False)
        else:
            try:
                ids = self.template.render(self._messages)
                self._rendered = [self.template.text(self._messages)]
            except ArgumentError as error:
                self._problem(0, str(error))
                ids = self.codec.encode_prompt(self._prompt)
            self._append(ids, Owner.PROMPT, -1, exact=False)

    def _close_turn(self, context: list[int] | None) -> None:
        """Add what the last turn kept and what came back, as the next context has it."""
        written = self._open
        assert written is not None
        answer = {"role": "assistant", "content": written.kept}
        if context is None:
            self._check_spelling(written)
            self._reply(written, answer)
        else:
            self._rendered = None  # its text is unknown from here on
            self._extend(written, context)
        self._messages += [answer, *written.messages]

    def _extend(self, written: _Written, context: list[int]) -> None:
        """The engine's next context is given: it extends what was recorded, or forks."""
        base = self._ids[self._start :] if self._start else self._ids
        size = len(base)
        if context[:size] == base:
            after = context[size:]
            for count in sorted(written.counts, reverse=True):
                reply = after[count:]
                if after[:count] == written.ids[:count] and self._is_whole(written, count, reply):
                    self._keep(written, count)
                    self._add_reply(reply, written, count)
                    return
        common = _common(base + written.ids[: written.counts[0]], context)
        self._check_spelling(written)
        self._fork(written, context, common, "the context does not extend the recorded ids", True)

    def _is_whole(self, written: _Written, count: int, reply: list[int]) -> bool:
        """Whether the observation follows `count` ids, the last of which may cross the cut.

        The kept half of a token and the beginning of the observation may encode to the very
        token that was sampled: then it was not kept, and the observation would lack bytes.
        """
        if count - 1 not in written.rests:
            return True
        observation = _bytes(written.observation)
        return bool(written.messages) or observation in self.codec.bytes_of(reply)

    def _reply(self, written: _Written, answer: Message) -> None:
        """No ids of the next context: encode what came back."""
        count = written.counts[0]
        rest = written.rests.get(count, "")
        turn = len(self._rows) - 1
        if self.template is None:
            self._keep(written, count)
            ids = self.codec.encode(rest + written.observation)
            self._add_text(ids, rest, written.observation, turn, exact=False)
            return
        history = [*self._messages, answer, *written.messages]
        try:
            reply = self.template.reply(written.kept, written.messages)
            if reply is not None and not self._fits_history(written, reply, history):
                reply = None
            if reply is None:
                context = self.template.render(history)
                if self._rendered is not None:
                    self._rendered, self._replies = [self.template.text(history)], 0
                common = _common(self._ids[self._start :] + written.ids[:count], context)
                self._fork(written, context, common, "the template rewrites the turn", False)
                return
        except ArgumentError as error:
            self._problem(turn, str(error))
            self._keep(written, count)
            self._append(self.codec.encode(written.observation), Owner.ENV, turn, exact=False)
            return
        self._keep(written, count)
        self._append(self.codec.encode(rest), Owner.SCAFFOLD, turn, exact=False)
        ids, head = reply.ids, reply.head
        if not rest and count and written.ids[count - 1] == ids[0]:
            ids, head = ids[1:], head - 1  # the end-of-turn token was sampled
        elif self.end_of_turn is Owner.AGENT and not written.exact and written.whole and head:
            self._append(ids[:1], Owner.AGENT, turn, exact=False)
            self._rows[turn]["end"] = len(self._ids)
            ids, head = ids[1:], head - 1
        self._add_framed(ids, max(head, 0), reply.tail, turn, exact=False)

    def _fits_history(self, written: _Written, reply: Reply, history: list[Message]) -> bool:
        """Whether the whole conversation, rendered anew, is what was put together turn by turn.

        Asked after 1, 2, 4, 8, ... replies of a sample and whenever a role is new, so that the
        cost stays linear: a template may treat a later turn, or an earlier one because of a
        later one, unlike the first.
        """
        if self._rendered is None:  # the engine gave contexts before this one
            return True
        assert self.template is not None
        self._rendered += [written.kept, reply.text]
        self._replies += 1
        roles = tuple(str(message.get("role")) for message in written.messages)
        is_new, self._roles = roles not in self._roles, self._roles | {roles}
        if not is_new and self._replies & (self._replies - 1):
            return True
        self._rendered = ["".join(self._rendered)]
        return self._rendered[0] == self.template.text(history)

    def _end_turn(self, written: _Written) -> None:
        """The end of a teacher's last turn: no message follows that would write it."""
        turn = len(self._rows) - 1
        ends_itself = written.whole and not written.exact and not written.observation
        if self.end_of_turn is Owner.AGENT and ends_itself:
            template = self.template
            end = self.codec.eos_id if template is None else template.end_of_turn_id
            self._append([] if end is None else [end], Owner.AGENT, turn, exact=False)
            self._rows[turn]["end"] = len(self._ids)

    def _fork(
        self, written: _Written, context: Sequence[int], common: int, reason: str, exact: bool
    ) -> None:
        self._keep(written, written.counts[0])
        if len(self._ids) > self._start:
            self._forks.append(Fork(len(self._ids), len(self._rows), common, reason))
        self._start = len(self._ids)
        self._append(context, Owner.PROMPT, -1, exact)

    def _add_reply(self, ids: list[int], written: _Written, count: int) -> None:
        """Own what the engine's context holds after the turn's `count` kept ids."""
        turn = len(self._rows) - 1
        rest = written.rests.get(count, "")
        if self.template is None or not written.messages:
            self._add_text(ids, rest, written.observation, turn, exact=True)
            return
        if rest:  # the template's end of turn is the first special token after it
            special = (at for at, index in enumerate(ids) if index in self.codec.special_ids)
            cut = next(special, 0)
            self._append(ids[:cut], Owner.SCAFFOLD, turn, exact=True)
            ids = ids[cut:]
        try:
            head, tail = self.template.frame(ids, written.messages)
        except ArgumentError:
            self._add_text(ids, "", str(written.messages[-1].get("content")), turn, exact=True)
            return
        self._add_framed(ids, head, tail, turn, exact=True)

    def _add_framed(self, ids: list[int], head: int, tail: int, turn: int, exact: bool) -> None:
        end = max(len(ids) - tail, head)
        self._append(ids[:head], Owner.SCAFFOLD, turn, exact)
        self._append_env(ids[head:end], turn, exact)
        self._append(ids[end:], Owner.SCAFFOLD, turn, exact)

    def _add_text(
        self, ids: Sequence[int], rest: str, observation: str, turn: int, exact: bool
    ) -> None:
        """Own ids that spell `rest` and the observation, in whatever frame the engine put it."""
        data = _bytes(observation)
        whole = self.codec.bytes_of(ids)
        if data and whole == data and self.codec.special_ids.isdisjoint(ids):
            self._append_env(ids, turn, exact, whole)  # as it nearly always is
            return
        ends = list(accumulate(map(len, self.codec.pieces(ids))))
        at = len(_bytes(rest))
        if whole[at:] != data:
            at = max(whole.find(data), 0) if data else len(whole)
            at = at if whole[at : at + len(data)] == data else 0
            data = data if whole[at : at + len(data)] == data else whole
        if not data:
            self._append(ids, Owner.SCAFFOLD, turn, exact)
            return
        # a token that begins before the observation is no content of it
        first = next((n for n, end in enumerate(ends) if end > at), len(ends))
        begins = ends[first - 1] if first else 0
        first += begins < at
        last = bisect_left(ends, at + len(data)) + 1
        self._append(ids[:first], Owner.SCAFFOLD, turn, exact)
        self._append_env(ids[first : max(last, first)], turn, exact)
        self._append(ids[max(last, first) :], Owner.SCAFFOLD, turn, exact)

    def _append_env(
        self, ids: Sequence[int], turn: int, exact: bool, text: bytes | None = None
    ) -> None:
        if not self.codec.control_ids.isdisjoint(ids):
            self._problem(turn, "a control token stands in an observation")
        self._append(ids, Owner.ENV, turn, exact, text=text)
        self._rows[turn]["env_tokens"] += len(ids)

    def _keep(self, written: _Written, count: int) -> None:
        """Add the agent's kept ids, and note the others as dropped."""
        turn = len(self._rows) - 1
        ids = written.ids
        start = len(self._ids)
        logprobs = written.logprobs[:count] if written.logprobs is not None else None
        text = written.text if count == len(ids) else None
        self._append(ids[:count], Owner.AGENT, turn, written.exact, logprobs, text)
        self._rows[turn] |= {"start": start, "end": len(self._ids)}
        rest = written.rests.get(count, "")
        if written.exact and count < len(ids):
            text = self.codec.bytes_of(ids[count:])[len(rest.encode()) :]
            self._dropped.append(Dropped(turn, tuple(ids[count:]), text.decode("utf-8", "replace")))
        if rest:
            self._straddles += 1
            self._rows[turn]["exact"] = False

    def _append(
        self,
        ids: Sequence[int],
        owner: Owner,
        turn: int,
        exact: bool,
        logprobs: Sequence[float] | None = None,
        text: bytes | None = None,
    ) -> None:
        if not ids:
            return
        start, size = len(self._ids), len(ids)
        try:
            self._packed.extend(array("i", ids))
        except (TypeError, OverflowError) as error:
            self._problem(max(turn, 0), f"ids that are no token ids: {error}")
            return
        self._ids.extend(ids)
        self._source += bytes((owner,)) * size
        self._turn.extend(array("h", (turn,)) * size)
        self._logprob.extend(array("f", logprobs if logprobs is not None else _NAN * size))
        text = self.codec.bytes_of(ids) if text is None else text
        last = self._segments[-1] if self._segments else None
        if (
            last is not None
            and (last.owner, last.turn, last.exact) == (owner, turn, exact)
            and start != self._start
        ):
            self._segments[-1] = replace(last, end=start + size, text=last.text + text)
        else:
            self._segments.append(Segment(start, start + size, owner, turn, text, exact))

    # The agent's own turn.

    def _read(self, action: str, kept: str) -> _Written:
        """What of the sampled ids may have stayed: those whose bytes fit the kept text."""
        ids = getattr(action, "token_ids", None)
        whole = kept == action and getattr(action, "finish_reason", None) != "length"
        if ids is None:
            if kept != action:
                self._dropped.append(Dropped(len(self._rows), (), str(action)[len(kept) :]))
            encoded = self.codec.encode(kept)
            return _Written(kept, encoded, None, False, [len(encoded)], whole=whole)
        logprobs = getattr(action, "logprobs", None)
        try:
            ids = list(ids)
            if kept == action and (text := self.codec.bytes_of(ids)) == _bytes(kept):
                return _Written(kept, ids, logprobs, True, [len(ids)], whole=whole, text=text)
            fit = self._fit(ids, str(action), kept)
        except (TypeError, ValueError, LookupError, OverflowError) as error:
            self._problem(len(self._rows), f"ids that the tokenizer does not have: {error}")
            encoded = self.codec.encode(kept)
            return _Written(kept, encoded, None, False, [len(encoded)], whole=whole)
        if fit is None:
            self.counts["misspelt_turns"] += 1
            return _Written(kept, ids, logprobs, True, [len(ids)], whole=whole, spelt=False)
        counts, rests = fit
        return _Written(kept, ids, logprobs, True, counts, rests, whole)

    def _fit(
        self, ids: list[int], action: str, kept: str
    ) -> tuple[list[int], dict[int, str]] | None:
        """How many ids fit `kept`; None if the ids do not spell the action."""
        wanted = _bytes(action)
        for literal in (False, True):
            pieces = self.codec.pieces(ids, literal)
            raw = b"".join(pieces)
            # an engine that decodes a turn by itself may lose the first space
            shift = 0 if raw.startswith(wanted) else 1
            if shift and not (raw[:1] == b" " and raw.startswith(wanted, 1)):
                continue
            ends = [max(end - shift, 0) for end in accumulate(map(len, pieces), initial=0)]
            return _counts(ends, _bytes(kept), len(raw) - shift)
        return self._fit_characters(ids, action, kept)

    def _fit_characters(
        self, ids: list[int], action: str, kept: str
    ) -> tuple[list[int], dict[int, str]] | None:
        """The same for text in which bytes that are no UTF-8 became replacement characters."""
        raw = self.codec.bytes_of(ids)
        if "\N{REPLACEMENT CHARACTER}" not in action or not _text(raw).startswith(action):
            return None
        if kept == action == _text(raw):
            return [len(ids)], {}
        ends = [*accumulate(map(len, self.codec.pieces(ids)), initial=0)]
        count = bisect_right(ends, len(kept), key=lambda end: len(_text(raw[:end]))) - 1
        while not kept.startswith(_text(raw[: ends[count]])):
            count -= 1
        rest = kept[len(_text(raw[: ends[count]])) :]
        return [count], {count: rest} if rest else {}

    def _check_spelling(self, written: _Written) -> None:
        """Without the engine's next context, ids that spell other text are no truth to train."""
        if not written.spelt and not (written.whole and not written.observation):
            self._problem(len(self._rows) - 1, "the ids do not spell the text that was acted on")

    def _problem(self, turn: int, reason: str) -> None:
        self._problems.append(Problem(turn, reason))

    # An episode of text alone, encoded in one piece.

    def _align(self, straddle: Straddle, unread: str) -> None:
        texts = self._texts[:-1] if unread else self._texts
        try:
            aligned = align(self.codec, [(text, owner) for text, owner, _ in texts], straddle)
        except ArgumentError as error:
            self._problem(0, str(error))
            return
        self._clear()
        for row in self._rows:
            row |= {"start": 0, "end": 0, "env_tokens": 0}
        self._straddles = aligned.straddles
        borders = np.flatnonzero(np.diff(aligned.part)) + 1
        for a, b in zip([0, *borders], [*borders, len(aligned.ids)], strict=True):
            _, owner, turn = texts[aligned.part[a]] if len(aligned.ids) else texts[0]
            start = len(self._ids)
            if owner is Owner.ENV:
                self._append_env(aligned.ids[a:b], turn, exact=False)
            else:
                self._append(aligned.ids[a:b], owner, turn, exact=False)
            if owner is Owner.AGENT:
                self._rows[turn] |= {"start": start, "end": len(self._ids)}


_NAN = (float("nan"),)


def _counts(ends: list[int], kept: bytes, total: int) -> tuple[list[int], dict[int, str]]:
    """Numbers of ids that write no more than `kept`, and what of it they leave to be written.

    Tokens without bytes (special ones) at the cut may have stayed or not; a token that the cut
    goes through may have stayed whole.
    """
    most = bisect_right(ends, len(kept)) - 1
    if ends[most] == len(kept):
        least = bisect_left(ends, len(kept))
        if total == len(kept):
            return [most], {}
        return list(range(least, most + 1)), {}
    rest = kept[ends[most] :].decode("utf-8", "replace")
    return [most, most + 1], {most: rest}


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _common(first: Sequence[int], second: Sequence[int]) -> int:
    for at, (a, b) in enumerate(zip(first, second, strict=False)):
        if a != b:
            return at
    return min(len(first), len(second))


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _digest(text: str) -> str:
    return hashlib.blake2b(_bytes(text), digest_size=8).hexdigest()


def episode_row(prompt: str, info: Mapping[str, Any], seed: int | None, sample: int) -> EpisodeRow:
    """The row of an episode that `reset` began: episodes of one task share a group."""
    named = [info.get(name) for name in ("dataset", "split", "index", "fingerprint")]
    group = _digest(prompt) if info.get("index") is None else ":".join(map(str, named))
    return EpisodeRow(group, f"{group}#{seed}.{sample}", seed, sample)

"""TraceRecorder: a conversation becomes a `Trace`, with the engine's own ids where it has them."""

from __future__ import annotations

import hashlib
import math
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Any, Literal

import numpy as np

from react_envs.alignment import Straddle, align
from react_envs.chat_template import ChatTemplate, Reply
from react_envs.errors import ArgumentError
from react_envs.sampled_turn import SampledTurn, plain_ids, read_turn
from react_envs.tokenization import TokenCodec, common_prefix
from react_envs.trace import Dropped, EpisodeRow, Fork, Owner, Problem, Segment, Trace, TurnRow
from react_envs.types import Message

__all__ = ["TraceRecorder", "digest"]


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
        """Over all episodes: `episodes`, `abandoned`, `turns`, `samples`, `dropped_samples`,
        `forks`, `straddles`, `inexact_turns`, `misspelt_turns`, `altered_observations`."""
        self._episode: EpisodeRow | None = None
        self._rows: list[dict[str, Any]] = []

    def begin(
        self, prompt: str, messages: Sequence[Message] = (), *, episode: EpisodeRow | None = None
    ) -> None:
        """Start an episode whose first context is `prompt`, or `messages` for a template.

        One that was not ended is forgotten, and counted as `abandoned`.
        """
        self.counts["abandoned"] += self._episode is not None
        self._clear()
        self._dropped: list[Dropped] = []
        self._forks: list[Fork] = []
        self._problems: list[Problem] = []
        self._rows = []
        self._straddles = 0
        self._start = 0  # where the sample begins that is being written
        self._prompt = prompt
        self._messages = list(messages)
        self._texts: list[tuple[str, Owner, int]] = [(prompt, Owner.PROMPT, -1)]
        self._only_text = True
        self._failed = False
        self._open: SampledTurn | None = None
        self._observation = ""
        self._reply_messages: list[Message] = []
        # of a chat whose contexts are ours: its text so far, and how often that was checked
        self._rendered: list[str] | None = None
        self._roles: set[tuple[str, ...]] = set()
        self._replies = self._verified = 0
        self._state = digest(prompt)
        self._episode = episode or EpisodeRow(digest(prompt), digest(prompt), None)

    def act(self, action: str, kept: str | None = None) -> None:
        """Record a turn: what the policy wrote, and the beginning of it that stays.

        Raises:
            ArgumentError: before `begin`.
        """
        self._check_begun("act")
        if not self._failed:
            try:
                self._act(action, str(action) if kept is None else kept)
            # whatever a foreign engine or environment hands over must not end a run
            except Exception as error:
                self.fail(error)

    def observe(self, observation: str, messages: Sequence[Message] = (), **row: Any) -> None:
        """Record what came back: text for the context, messages for a template.

        Args:
            observation: the new text.
            messages: the new messages, the agent's own (`assistant`) left out.
            row: fields of `TurnRow` that the environment knows (`reward`, `terminated`, ...).

        Raises:
            ArgumentError: before `begin`.
        """
        self._check_begun("observe")
        if not self._failed:
            try:
                self._observe(observation, messages, row)
            except Exception as error:  # as in act
                self.fail(error)

    def fail(self, error: Exception) -> None:
        """Give up on the episode: what was recorded stays, and may not be trained."""
        self._failed = True
        reason = f"it could not be recorded: {type(error).__name__}: {error}"
        self._problem(max(len(self._rows) - 1, 0), reason)

    def end(self, **episode: Any) -> Trace:
        """The trace of the episode; `episode` are fields of `EpisodeRow` known only now.

        Raises:
            ArgumentError: before `begin`.
        """
        self._check_begun("end")
        assert self._episode is not None
        if not self._failed:
            try:
                self._close_episode()
            except Exception as error:  # as in act
                self.fail(error)
        trace = Trace(
            ids=np.array(self._packed, dtype=np.int32),
            source=np.array(self._source, dtype=np.uint8),
            turn=np.array(self._turn, dtype=np.int16),
            logprob=np.array(self._logprob, dtype=np.float32),
            segments=tuple(self._segments),
            turns=tuple(TurnRow(**row) for row in self._rows),
            episode=replace(self._episode, **episode),
            dropped=tuple(self._dropped),
            forks=tuple(self._forks),
            problems=tuple(self._problems),
            straddles=self._straddles,
            unread=self._observation,
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

    @property
    def rows(self) -> list[dict[str, Any]]:
        """What is known of the turns so far, as fields of `TurnRow`."""
        return self._rows

    # One turn, and the end.

    def _act(self, action: str, kept: str) -> None:
        turn = len(self._rows)
        context = getattr(action, "prompt_token_ids", None)
        context = None if context is None else plain_ids(context)
        if turn == 0:
            self._open_prompt(context)
        elif self._open is not None:
            self._close_turn(self._open, context)
        written = read_turn(self.codec, action, kept)
        if written.problem is not None:
            self._problem(turn, written.problem)
        self.counts["misspelt_turns"] += not written.spelt
        if not written.exact and kept != action:
            tail = str(action)[len(kept) :] if action.startswith(kept) else str(action)
            self._dropped.append(Dropped(turn, (), tail))
        self._open, self._observation, self._reply_messages = written, "", []
        self._only_text &= not written.exact and context is None
        self._texts.append((kept, Owner.AGENT, turn))
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
                "sampled_tokens": len(written.ids) if written.exact else -1,
                "exact": written.exact,
                "terminated": False,
                "truncated": False,
            }
        )

    def _observe(self, observation: str, messages: Sequence[Message], row: dict[str, Any]) -> None:
        turn = len(self._rows) - 1
        self._observation, self._reply_messages = observation, list(messages)
        self._state = digest(observation)
        if not math.isfinite(row.get("reward", 0.0)):
            self._problem(turn, f"the reward is {row['reward']}")
            row = {**row, "reward": 0.0}
        self._rows[-1] |= row
        if observation:
            self._texts.append((observation, Owner.ENV, turn))

    def _close_episode(self) -> None:
        written = self._open
        if written is None:
            self._open_prompt(None)
            return
        self._keep(written, written.counts[0])
        self._check_spelling(written)
        self._check_last_context()
        if self.whole is not None and self._only_text:
            self._align(self.whole)
        self._end_turn(written)

    def _open_prompt(self, context: list[int] | None) -> None:
        exact = context is not None
        try:
            if context is None and self.template is None:
                context = self.codec.encode_prompt(self._prompt)
            elif context is None and self.template is not None:
                context = self.template.render(self._messages)
                self._rendered = [self.template.text(self._messages)]
            self._append(context or [], Owner.PROMPT, -1, exact)
        except (ArgumentError, *_BAD_IDS) as error:
            self._problem(0, f"the prompt: {error}")

    # What lies between a turn and the next.

    def _close_turn(self, written: SampledTurn, context: list[int] | None) -> None:
        """Add what the last turn kept and what came back, as the next context has it."""
        answer = {"role": "assistant", "content": written.kept}
        if context is not None:
            self._rendered = None  # its text is unknown from here on
            self._extend(written, context)
        elif self.template is None:
            self._check_spelling(written)
            self._reply_with_text(written)
        else:
            self._check_spelling(written)
            self._reply_with_template(written, answer)
        self._messages += [answer, *self._reply_messages]

    def _extend(self, written: SampledTurn, context: list[int]) -> None:
        """The engine's next context is given: it extends what was recorded, or forks."""
        base = self._ids[self._start :] if self._start else self._ids
        size = len(base)
        if context[:size] == base:
            after = context[size:]
            count = written.stayed(after, self.codec, self._observation)
            if count is not None:
                self._keep(written, count)
                self._own_reply(after[count:], written.rests.get(count, ""))
                return
        self._check_spelling(written)
        reason = "the context does not extend the recorded ids"
        self._fork(written, context, reason, exact=True)

    def _reply_with_text(self, written: SampledTurn) -> None:
        """No context and no template: the observation is encoded, with what the cut left over."""
        count = written.counts[0]
        rest = written.rests.get(count, "")
        self._keep(written, count)
        self._own_text(self.codec.encode(rest + self._observation), rest, exact=False)

    def _reply_with_template(self, written: SampledTurn, answer: Message) -> None:
        """No context: the template says what it adds, or renders the whole for a new sample."""
        assert self.template is not None
        turn = len(self._rows) - 1
        history = [*self._messages, answer, *self._reply_messages]
        try:
            reply = self.template.reply(written.kept, self._reply_messages)
            if reply is None or not self._fits_history(written, reply, history):
                context = self.template.render(history)
                if self._rendered is not None:
                    self._rendered = [self.template.text(history)]
                    self._replies = self._verified = 0
                self._fork(written, context, "the template rewrites the turn", exact=False)
                return
        except ArgumentError as error:  # the template refuses these messages
            self._problem(turn, str(error))
            self._keep(written, written.counts[0])
            self._append_env(self.codec.encode(self._observation), exact=False)
            return
        count = written.counts[0]
        rest = written.rests.get(count, "")
        self._keep(written, count)
        self._append(self.codec.encode(rest), Owner.SCAFFOLD, turn, exact=False)
        ids = reply.ids
        if not rest and count and written.ids[count - 1] == ids[0]:
            ids = ids[1:]  # the end-of-turn token was sampled
        elif self.end_of_turn is Owner.AGENT and not written.exact and written.whole:
            self._append_end(ids[0])
            ids = ids[1:]
        self._own_spans(ids, self.template.spans(ids, self._reply_messages), exact=False)

    def _fits_history(self, written: SampledTurn, reply: Reply, history: list[Message]) -> bool:
        """Whether the whole conversation, rendered anew, is what was put together turn by turn.

        Asked after 1, 2, 4, 8, ... replies of a sample, whenever a role is new, and at the end,
        so that the cost stays linear: a template may treat a later turn, or an earlier one
        because of a later one, unlike the first.
        """
        if self._rendered is None:  # the engine gave contexts before this one
            return True
        assert self.template is not None
        before = self._rendered
        self._rendered = [*before, written.kept, reply.text]
        self._replies += 1
        roles = tuple(str(message.get("role")) for message in self._reply_messages)
        is_new, self._roles = roles not in self._roles, self._roles | {roles}
        if not is_new and self._replies & (self._replies - 1):
            return True
        self._rendered = ["".join(self._rendered)]
        if self._rendered[0] == self.template.text(history):
            self._verified = self._replies
            return True
        # if the context before was right, this one alone begins a new sample
        if self._verified != self._replies - 1:
            self._check_text("".join(before))
        return False

    def _check_last_context(self) -> None:
        if self._rendered is not None and self._verified != self._replies:
            self._check_text("".join(self._rendered))

    def _check_text(self, text: str) -> None:
        """The sample is no truth if its last context is not what the template renders."""
        assert self.template is not None
        try:
            if text != self.template.text(self._messages):
                self._problem(len(self._rows) - 1, "the template rewrote earlier turns")
        except ArgumentError as error:
            self._problem(len(self._rows) - 1, str(error))

    def _fork(self, written: SampledTurn, context: list[int], reason: str, *, exact: bool) -> None:
        self._keep(written, written.counts[0])
        common = common_prefix(self._ids[self._start :], context)
        if len(self._ids) > self._start:
            self._forks.append(Fork(len(self._ids), len(self._rows), common, reason))
        self._start = len(self._ids)
        try:
            self._append(context, Owner.PROMPT, -1, exact)
        except _BAD_IDS as error:
            self._problem(len(self._rows), f"the context: {error}")

    def _end_turn(self, written: SampledTurn) -> None:
        """The end of a teacher's last turn: nothing follows that would write it."""
        if self.end_of_turn is Owner.SCAFFOLD or written.exact or not written.whole:
            return
        if self.template is not None:
            end = self.template.end_of_turn_id
        else:
            end = self.codec.eos_id if self._rows[-1]["terminated"] else None
        if end is not None:
            self._append_end(end)

    # Whose the ids between two turns are.

    def _own_reply(self, ids: list[int], rest: str) -> None:
        """Ids that an engine's context holds after the turn, whose `rest` comes first."""
        if self.template is None or not self._reply_messages:
            self._own_text(ids, rest, exact=True)
            return
        if rest:  # the template's end of turn is the first special token after it
            special = (at for at, index in enumerate(ids) if index in self.codec.special_ids)
            cut = next(special, 0)
            self._append(ids[:cut], Owner.SCAFFOLD, len(self._rows) - 1, exact=True)
            ids = ids[cut:]
        try:
            spans = self.template.spans(ids, self._reply_messages)
        except ArgumentError:  # the engine's template is another one
            self._own_text(ids, "", exact=True)
            return
        self._own_spans(ids, spans, exact=True)

    def _own_spans(self, ids: list[int], spans: list[tuple[int, int]], *, exact: bool) -> None:
        """Contents are the environment's, the rest is scaffold."""
        turn, at = len(self._rows) - 1, 0
        for start, end in spans:
            self._append(ids[at:start], Owner.SCAFFOLD, turn, exact)
            self._append_env(ids[start:end], exact)
            at = end
        self._append(ids[at:], Owner.SCAFFOLD, turn, exact)

    def _own_text(self, ids: list[int], rest: str, *, exact: bool) -> None:
        """Ids that spell `rest` and the observation, in whatever frame the engine put it."""
        turn, data = len(self._rows) - 1, _bytes(self._observation)
        whole = self.codec.bytes_of(ids)
        if data and whole == data and self.codec.special_ids.isdisjoint(ids):
            self._append_env(ids, exact, whole)  # as it nearly always is
            return
        at, size = self._place(whole, len(_bytes(rest)), data)
        ends = list(accumulate(map(len, self.codec.pieces(ids))))
        # a token that begins before the observation is no content of it
        first = next((n for n, end in enumerate(ends) if end > at), len(ends))
        first += (ends[first - 1] if first else 0) < at
        last = max(bisect_left(ends, at + size) + 1, first) if size else first
        if not self.codec.control_ids.isdisjoint(ids[first:last]) and size != len(data):
            if data not in whole and data in self.codec.literal_bytes_of(ids):
                self._problem(turn, "a control token stands in an observation")
            first = last = len(ids)  # a frame of its own with other text in it: nobody's content
        self._append(ids[:first], Owner.SCAFFOLD, turn, exact)
        self._append_env(ids[first:last], exact)
        self._append(ids[last:], Owner.SCAFFOLD, turn, exact)

    def _place(self, whole: bytes, after: int, data: bytes) -> tuple[int, int]:
        """Where in `whole`, of which `after` bytes are the turn's, the observation is."""
        if whole[after:] == data:
            return after, len(data)
        if data and whole.count(data) == 1:
            return whole.index(data), len(data)
        # the engine cut or changed it, or it stands there more than once
        self.counts["altered_observations"] += 1
        self._rows[-1]["exact"] = False
        return after, len(whole) - after

    # The arrays.

    def _clear(self) -> None:
        self._ids: list[int] = []  # contexts are compared with it: lists are, the fastest way
        self._packed = array("i")
        self._source = bytearray()
        self._turn = array("h")
        self._logprob = array("f")
        self._segments: list[Segment] = []

    def _keep(self, written: SampledTurn, count: int) -> None:
        """Add the agent's kept ids, and note the others as dropped."""
        turn, start = len(self._rows) - 1, len(self._ids)
        ids, rest = written.ids, written.rests.get(count, "")
        logprobs = written.logprobs[:count] if written.logprobs is not None else None
        text = written.text if count == len(ids) else None
        self._append(ids[:count], Owner.AGENT, turn, written.exact, logprobs, text)
        self._rows[turn] |= {"start": start, "end": len(self._ids)}
        if written.exact and count < len(ids):
            tail = self.codec.bytes_of(ids[count:])[len(_bytes(rest)) :]
            self._dropped.append(Dropped(turn, tuple(ids[count:]), tail.decode("utf-8", "replace")))
        if rest:
            self._straddles += 1
            self._rows[turn]["exact"] = False

    def _append_end(self, index: int) -> None:
        """An end-of-turn token that is the agent's, after its last token."""
        self._append([index], Owner.AGENT, len(self._rows) - 1, exact=False)
        row = self._rows[-1]
        row["start"] = row["start"] if row["end"] > row["start"] else len(self._ids) - 1
        row["end"] = len(self._ids)

    def _append_env(self, ids: list[int], exact: bool, text: bytes | None = None) -> None:
        turn = len(self._rows) - 1
        # whose text is known has no special token
        if text is None and not self.codec.control_ids.isdisjoint(ids):
            self._problem(turn, "a control token stands in an observation")
        self._append(ids, Owner.ENV, turn, exact, text=text)
        self._rows[turn]["env_tokens"] += len(ids)

    def _append(
        self,
        ids: Sequence[int],
        owner: Owner,
        turn: int,
        exact: bool,
        logprobs: Sequence[float] | None = None,
        text: bytes | None = None,
    ) -> None:
        """Add tokens to every array, or raise and add them to none."""
        if not ids:
            return
        start, size = len(self._ids), len(ids)
        packed, turns = array("i", ids), array("h", (turn,)) * size
        known = _UNKNOWN * size if logprobs is None else array("f", logprobs)
        text = self.codec.bytes_of(ids) if text is None else text
        self._ids.extend(ids)
        self._packed.extend(packed)
        self._source += bytes((owner,)) * size
        self._turn.extend(turns)
        self._logprob.extend(known)
        last = self._segments[-1] if self._segments else None
        if (
            last is not None
            and (last.owner, last.turn, last.exact) == (owner, turn, exact)
            and start != self._start
        ):
            self._segments[-1] = replace(last, end=start + size, text=last.text + text)
        else:
            self._segments.append(Segment(start, start + size, owner, turn, text, exact))

    def _align(self, straddle: Straddle) -> None:
        """An episode of text alone, encoded again in one piece."""
        texts = self._texts[:-1] if self._observation else self._texts
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
            ids, start = aligned.ids[a:b], len(self._ids)
            if owner is Owner.ENV and not self.codec.control_ids.isdisjoint(ids):
                self._problem(turn, "a control token stands in an observation")
            self._append(ids, owner, turn, exact=False)
            if owner is Owner.ENV:
                self._rows[turn]["env_tokens"] += len(ids)
            elif owner is Owner.AGENT:
                self._rows[turn] |= {"start": start, "end": len(self._ids)}

    # What is not right.

    def _check_spelling(self, written: SampledTurn) -> None:
        """Unless the engine's next context shows them, ids that spell other text are no truth."""
        if not written.spelt:
            self._problem(len(self._rows) - 1, "the ids do not spell the text that was acted on")

    def _check_begun(self, name: str) -> None:
        if self._episode is None:
            raise ArgumentError(f"{name}() before begin(): there is no episode to record")

    def _problem(self, turn: int, reason: str) -> None:
        self._problems.append(Problem(turn, reason))


_UNKNOWN = array("f", [float("nan")])
_BAD_IDS = (TypeError, ValueError, LookupError, OverflowError)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def digest(text: str) -> str:
    """Sixteen characters that stand for a text."""
    return hashlib.blake2b(_bytes(text), digest_size=8).hexdigest()

"""TraceRecorder: the invariants I1 to I20 of token provenance, for every tokenizer and format."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recording import CONVERSATION, FORMATS, Engine, codec, without_prompt

from react_envs.recorder import TraceRecorder
from react_envs.tokenization import ByteTokenizer, TokenCodec, as_codec
from react_envs.trace import Owner, Segment, Trace
from react_envs.types import Completion

prop = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def play(
    tokenizer: str = "qwen",
    seed: int = 0,
    perturbed: float = 0.0,
    keeps_cut_token: bool = False,
    ends: bool = False,
    gives_prompts: bool = True,
    prompt: str = "Question: what?\n",
    turns: list[tuple[str, str, str, int]] = [("hm", "15", "react", 0)],  # noqa: B006 - read only
    recorder: TraceRecorder | None = None,
) -> tuple[Trace, Engine, list[str]]:
    """Record an episode in which the engine's tokens are known; the last turn ends it."""
    own = codec(tokenizer)
    end = sorted(own.control_ids)[-1] if ends else None
    engine = Engine(own, seed, perturbed, keeps_cut_token and gives_prompts, end)
    engine.read_prompt(prompt)
    recorder = recorder or TraceRecorder(own)
    recorder.begin(prompt)
    texts = [prompt]
    for number, (text, result, form, cut) in enumerate(turns):
        written = FORMATS[form].call.format(text)
        completion = engine.write(written + "\n\nand so on"[: 3 * cut])
        given = completion if gives_prompts else without_prompt(completion)
        kept = str(completion)[: len(written)] if cut else str(completion)
        recorder.act(given, kept)
        last = number == len(turns) - 1
        observation = "" if last else FORMATS[form].result.format(result)
        recorder.observe(observation, reward=0.5, terminated=last)
        engine.keeps_cut_token &= not last  # no context follows that would show it
        engine.read(kept, observation)
        texts += [kept, observation]
    return recorder.end(reward=0.5 * len(turns)), engine, texts


@prop
@given(CONVERSATION)
def test_exact_ids_are_recorded_as_the_engine_read_and_wrote_them(case: dict[str, Any]) -> None:
    trace, engine, texts = play(**case)
    assert not trace.problems
    assert not trace.forks
    trace.check()  # I1: one owner for each token, no gaps
    # I2, I4: each context that the engine read is the beginning of the next, and of the trace
    for context in [*engine.contexts, engine.ids]:
        last = context == engine.ids
        n = len(context) if not last else min(len(context), len(trace))
        assert trace.ids[:n].tolist() == context[:n]
    # after the last turn the engine encodes what the cut left over; nobody reads it
    expected = [at for at, (owner, turn) in enumerate(engine.owners) if owner is Owner.AGENT]
    end = max(expected, default=len(engine.contexts[0]) - 1) + 1
    end = max(end, len(engine.contexts[-1]))
    assert trace.ids.tolist() == engine.ids[:end]
    # I3, I10: owners and turns as they were known while sampling
    owners = [(Owner(int(o)), int(t)) for o, t in zip(trace.source, trace.turn, strict=True)]
    assert owners == engine.owners[:end]
    # I9: log-probabilities where the agent wrote, and nowhere else
    assert np.array_equal(
        trace.logprob, np.array(engine.logprobs[:end], dtype=np.float32), equal_nan=True
    )
    # I7: bytes of segments are the text
    written = b"".join(segment.text for segment in trace.segments)
    assert written == codec(case["tokenizer"]).bytes_of(engine.ids[:end])
    if not case["keeps_cut_token"]:
        # some tokenizers put a space before a whole text
        assert "".join(texts).encode().startswith(written.removeprefix(b" "))
    # I8: untrusted text never becomes a control token
    env = trace.ids[trace.source == Owner.ENV]
    assert codec(case["tokenizer"]).control_ids.isdisjoint(env.tolist())
    # I6: what was sampled was kept or dropped
    for row in trace.turns:
        dropped = sum(len(tail.ids) for tail in trace.dropped if tail.turn == row.turn)
        assert row.sampled_tokens == row.end - row.start + dropped


@prop
@given(CONVERSATION)
def test_text_alone_is_recorded_with_no_foreign_byte_on_the_agents_side(
    case: dict[str, Any],
) -> None:
    own = codec(case["tokenizer"])
    for recorder in (TraceRecorder(own), TraceRecorder(own, whole="exclude")):
        recorder.begin(case["prompt"])
        wanted = [(Owner.PROMPT, case["prompt"])]
        for number, (text, result, form, _) in enumerate(case["turns"]):
            kept = FORMATS[form].call.format(text)
            last = number == len(case["turns"]) - 1
            observation = "" if last else FORMATS[form].result.format(result)
            recorder.act(kept)
            recorder.observe(observation)
            wanted += [(Owner.AGENT, kept), (Owner.ENV, observation)]
        trace = recorder.end()
        trace.check()
        assert not trace.exact
        assert not trace.problems
        pieces = own.pieces(trace.ids.tolist())
        first = next(n for n, piece in enumerate(pieces) if piece)
        pieces[first] = pieces[first].removeprefix(b" ")
        assert b"".join(pieces) == "".join(text for _, text in wanted).encode()
        owner_of_byte = [owner for owner, text in wanted for _ in text.encode()]
        at = 0
        for owner, piece in zip(trace.source, pieces, strict=True):
            inside = set(owner_of_byte[at : at + len(piece)])
            at += len(piece)
            assert owner != Owner.AGENT or inside <= {Owner.AGENT}
            if recorder.whole is None:
                assert inside <= {Owner(int(owner))}
        assert own.control_ids.isdisjoint(trace.ids[len(own.bos_ids) :].tolist())


@prop
@given(CONVERSATION)
def test_recording_twice_gives_the_same_and_survives_json(case: dict[str, Any]) -> None:
    trace, _, _ = play(**case)
    again, _, _ = play(**case)
    assert trace == again  # I19
    assert Trace.from_json(json.dumps(trace.to_json())) == trace  # I18
    assert trace != replace(trace, straddles=trace.straddles + 1)


@prop
@given(CONVERSATION, st.integers(0, 60))
def test_truncation_cuts_every_array_alike(case: dict[str, Any], n: int) -> None:
    trace, _, _ = play(**case)
    (sample,) = trace.to_samples()
    cut = sample.truncated(n)
    for name in ("ids", "source", "turn", "logprob"):
        want = getattr(sample, name)[:n]
        assert np.array_equal(getattr(cut, name), want, equal_nan=name == "logprob")
    assert sum(row.end - row.start for row in cut.turns) == int(cut.loss_mask().sum())


@prop
@given(CONVERSATION)
def test_agent_text_is_never_encoded_where_ids_are_given(case: dict[str, Any]) -> None:
    encoded: list[str] = []
    own = codec(case["tokenizer"])

    def encode(text: str) -> list[int]:
        encoded.append(text)
        return own.encode(text)

    names = own._literal.__getitem__
    watched = TokenCodec(encode, names, own.special_ids, own.bos_ids, own.eos_id)
    encoded.clear()
    _, _, (prompt, *rest) = play(**case, recorder=TraceRecorder(watched))
    if case["gives_prompts"]:
        assert encoded == []  # I5
        return
    assert encoded[0] == prompt
    replies = [text for text in rest[1::2] if text]
    # what came back, and of a turn at most the end of a token that the cut went through
    assert len(encoded) - 1 == len(replies)
    for text, reply in zip(encoded[1:], replies, strict=True):
        assert text.endswith(reply)
        assert len(text) - len(reply) <= 12


def record(tokenizer: Any, *turns: tuple[str, str, str], prompt: str = "Q\n") -> Trace:
    """A text episode of `(action, kept, observation)`."""
    recorder = TraceRecorder(as_codec(tokenizer))
    recorder.begin(prompt)
    for action, kept, observation in turns:
        recorder.act(action, kept)
        recorder.observe(observation)
    return recorder.end()


def test_three_tiny_turns_position_by_position() -> None:
    """Bytes, BOS 256, end of turn 257; the engine gives ids, and prompts from turn 1 on.

    prompt  <bos> Q :                      PROMPT   turn -1
    turn 0  a b <eos>   kept whole         AGENT    turn  0
            1 ;                            ENV      turn  0
    turn 1  c X Y <eos> kept "c"           AGENT    turn  1   X Y <eos> dropped
            2 ;                            ENV      turn  1
    turn 2  d <eos>     kept whole         AGENT    turn  2
    """
    recorder = TraceRecorder(as_codec(ByteTokenizer()))
    recorder.begin("Q:")
    q, colon, semi = ord("Q"), ord(":"), ord(";")
    a, b, c, d, x, y, eos = *b"abcdXY", 257

    prompt = [256, q, colon]
    recorder.act(Completion("ab", token_ids=[a, b, eos], logprobs=[-0.1, -0.2, -0.3]))
    recorder.observe("1;", reward=0.25)
    context = [*prompt, a, b, eos, ord("1"), semi]
    recorder.act(
        Completion(
            "cXY",
            prompt_token_ids=context,
            token_ids=[c, x, y, eos],
            logprobs=[-0.4, -0.5, -0.6, -0.7],
        ),
        "c",
    )
    recorder.observe("2;", reward=0.0)
    context = [*context, c, ord("2"), semi]
    recorder.act(
        Completion("d", prompt_token_ids=context, token_ids=[d, eos], logprobs=[-0.8, -0.9])
    )
    recorder.observe("", reward=1.0, terminated=True)
    trace = recorder.end(reward=1.25)

    nan = float("nan")
    P, A, E = int(Owner.PROMPT), int(Owner.AGENT), int(Owner.ENV)
    assert trace.ids.tolist() == [*context, d, eos]
    # fmt: off
    assert trace.source.tolist() == [P, P, P,  A, A, A,  E, E,  A,  E, E,  A, A]
    assert trace.turn.tolist() == [-1, -1, -1,  0, 0, 0,  0, 0,  1,  1, 1,  2, 2]
    expected = [nan, nan, nan, -0.1, -0.2, -0.3, nan, nan, -0.4, nan, nan, -0.8, -0.9]
    # fmt: on
    assert np.array_equal(trace.logprob, np.array(expected, dtype=np.float32), equal_nan=True)
    assert [(row.start, row.end, row.env_tokens) for row in trace.turns] == [
        (3, 6, 2),
        (8, 9, 2),
        (11, 13, 0),
    ]
    assert [(row.turn, row.ids, row.text) for row in trace.dropped] == [(1, (x, y, eos), "XY")]
    (sample,) = trace.to_samples()
    ignored = -100
    # fmt: off
    assert sample.labels().tolist() == [
        ignored, ignored, ignored, a, b, eos, ignored, ignored, c, ignored, ignored, d, eos
    ]
    assert sample.labels(["agent", "env"]).tolist() == [
        ignored, ignored, ignored, a, b, eos, ord("1"), semi, c, ord("2"), semi, d, eos
    ]
    # fmt: on
    # I17: every token is read, not every token is trained
    assert sample.attention_mask.tolist() == [1] * 13
    assert sample.position_ids.tolist() == list(range(13))
    assert trace.segments[1] == Segment(3, 6, Owner.AGENT, 0, b"ab", True)


def cut_inside_a_token(keeps: bool) -> tuple[Trace, list[int]]:
    """`</search>` and a blank line are one token of this vocabulary; the turn ends between."""
    words = [b"go", b" ", b"</search", b">\n\n", b">", b"\n", b"<r>", b"1", b"</r>"]
    vocabulary = {word: index for index, word in enumerate(words)}

    def encode(text: str) -> list[int]:
        data, ids = text.encode(), []
        while data:
            word = max((w for w in words if data.startswith(w)), key=len)
            ids.append(vocabulary[word])
            data = data[len(word) :]
        return ids

    recorder = TraceRecorder(TokenCodec(encode, words.__getitem__))
    recorder.begin("go ")
    prompt = encode("go ")
    sampled = [vocabulary[w] for w in (b"go", b"</search", b">\n\n", b"go")]
    recorder.act(
        Completion("go</search>\n\ngo", prompt_token_ids=prompt, token_ids=sampled), "go</search>"
    )
    recorder.observe("<r>1</r>")
    context = prompt + (sampled[:3] if keeps else [*sampled[:2], *encode(">")])
    context += encode("<r>1</r>")
    recorder.act(Completion("go", prompt_token_ids=context, token_ids=[0]))
    recorder.observe("", terminated=True)
    return recorder.end(), [*context, 0]


def test_a_token_that_the_cut_goes_through_is_dropped_and_its_kept_bytes_are_scaffold() -> None:
    trace, ids = cut_inside_a_token(keeps=False)
    assert trace.ids.tolist() == ids
    assert not trace.forks
    A, E, S = int(Owner.AGENT), int(Owner.ENV), int(Owner.SCAFFOLD)
    assert trace.source.tolist() == [0, 0, A, A, S, E, E, E, A]
    assert [row.exact for row in trace.turns] == [False, True]
    assert (trace.straddles, trace.dropped[0].ids, trace.dropped[0].text) == (1, (3, 0), "\n\ngo")


def test_a_token_that_the_engine_kept_whole_across_the_cut_is_the_agents() -> None:
    trace, ids = cut_inside_a_token(keeps=True)
    assert trace.ids.tolist() == ids
    assert not trace.forks
    A, E = int(Owner.AGENT), int(Owner.ENV)
    assert trace.source.tolist() == [0, 0, A, A, A, E, E, E, A]
    assert all(row.exact for row in trace.turns)
    assert trace.straddles == 0


def test_a_stop_string_that_the_engine_left_out_of_the_text_is_dropped() -> None:
    recorder = TraceRecorder(as_codec(ByteTokenizer()))
    recorder.begin("Q")
    recorder.act(Completion("ab", token_ids=list(b"ab##"), finish_reason="stop"))
    recorder.observe("c")
    recorder.act(Completion("d", prompt_token_ids=[256, *b"Qabc"], token_ids=list(b"d")))
    recorder.observe("", terminated=True)
    trace = recorder.end()
    assert trace.ids.tolist() == [256, *b"Qabcd"]
    assert not trace.forks
    assert trace.dropped[0].ids == tuple(b"##")


def test_a_context_that_does_not_extend_begins_a_sample_of_its_own() -> None:
    recorder = TraceRecorder(as_codec(ByteTokenizer()))
    recorder.begin("Q")
    recorder.act(Completion("ab", prompt_token_ids=[256, *b"Q"], token_ids=list(b"ab")))
    recorder.observe("1")
    recorder.act(Completion("c", prompt_token_ids=[256, *b"Qa1"], token_ids=list(b"c")))
    recorder.observe("2")
    recorder.act(Completion("d", prompt_token_ids=[256, *b"Qa1c2"], token_ids=list(b"d")))
    recorder.observe("", terminated=True)
    trace = recorder.end()
    trace.check()
    (fork,) = trace.forks
    assert (fork.turn, fork.at, fork.common) == (1, 4, 3)
    first, second = trace.to_samples()
    assert first.ids.tolist() == [256, *b"Qab"]
    assert second.ids.tolist() == [256, *b"Qa1c2d"]
    # what was sampled before the fork is trained where it was sampled, and only there
    assert first.loss_mask().tolist() == [False, False, True, True]
    assert second.loss_mask().tolist() == [False] * 4 + [True, False, True]
    assert [row.turn for row in second.turns] == [1, 2]
    assert Trace.from_json(trace.to_json()) == trace


def test_ids_that_spell_another_text_drop_the_sample_and_raise_nothing() -> None:
    recorder = TraceRecorder(as_codec(ByteTokenizer()))
    recorder.begin("Q")
    recorder.act(Completion("ab cut", token_ids=list(b"zz")), "ab")
    recorder.observe("1")
    recorder.act(Completion("c", token_ids=list(b"c")))
    recorder.observe("", terminated=True)
    trace = recorder.end()
    assert trace.to_samples() == []
    assert "spell" in trace.problems[0].reason
    assert recorder.counts["dropped_samples"] == 1
    assert recorder.counts["misspelt_turns"] == 1


def test_ids_outside_the_vocabulary_drop_the_sample_and_raise_nothing() -> None:
    for ids in ([999_999], [2**40], [-1]):
        recorder = TraceRecorder(as_codec(ByteTokenizer()))
        recorder.begin("Q")
        recorder.act(Completion("a", token_ids=ids))
        recorder.observe("", terminated=True)
        trace = recorder.end()
        assert trace.to_samples() == []
        assert trace.problems


def test_a_control_token_that_the_engine_read_in_an_observation_drops_the_sample() -> None:
    recorder = TraceRecorder(as_codec(ByteTokenizer()))
    recorder.begin("Q")
    recorder.act(Completion("a", prompt_token_ids=[256, *b"Q"], token_ids=list(b"a")))
    recorder.observe("x<eos>y")
    poisoned = [256, *b"Qax", 257, *b"y"]
    recorder.act(Completion("c", prompt_token_ids=poisoned, token_ids=list(b"c")))
    recorder.observe("", terminated=True)
    trace = recorder.end()
    assert trace.to_samples() == []
    assert "control token" in trace.problems[0].reason


def test_an_observation_that_nobody_reads_has_no_tokens() -> None:
    trace = record(ByteTokenizer(), ("a", "a", "1"), ("b", "b", "2"))
    assert trace.unread == "2"
    assert trace.segments[-1].owner is Owner.AGENT


def test_an_episode_without_a_turn_is_its_prompt() -> None:
    recorder = TraceRecorder(as_codec(ByteTokenizer()))
    recorder.begin("Q")
    trace = recorder.end()
    trace.check()
    assert trace.ids.tolist() == [256, ord("Q")]
    assert trace.turns == ()


def test_bytes_that_are_no_text_are_cut_at_the_right_token() -> None:
    # a sampled byte that is no UTF-8 reads as a replacement character
    recorder = TraceRecorder(as_codec(ByteTokenizer()))
    recorder.begin("Q")
    sampled = [*b"a", 0xFF, *"é".encode(), *b"b!"]
    recorder.act(Completion("a\ufffdéb!", token_ids=sampled), "a\ufffdé")
    recorder.observe("1")
    recorder.act(Completion("c", token_ids=list(b"c")))
    recorder.observe("", terminated=True)
    trace = recorder.end()
    assert trace.ids.tolist() == [256, ord("Q"), *sampled[:4], ord("1"), ord("c")]
    assert not trace.problems


@pytest.mark.parametrize("straddle", ["exclude", "include", "error"])
def test_a_token_that_two_owners_share_follows_the_rule(straddle: Any) -> None:
    words = [b"a", b"b", b"ab", b"c"]

    def encode(text: str) -> list[int]:
        ids, data = [], text.encode()
        while data:
            word = max((w for w in words if data.startswith(w)), key=len)
            ids.append(words.index(word))
            data = data[len(word) :]
        return ids

    recorder = TraceRecorder(TokenCodec(encode, words.__getitem__), whole=straddle)
    recorder.begin("c")
    recorder.act("a")
    recorder.observe("b")
    recorder.act("c")
    recorder.observe("", terminated=True)
    trace = recorder.end()
    if straddle == "error":
        assert trace.to_samples() == []
        assert "holds bytes of" in trace.problems[0].reason
        return
    owner = Owner.ENV if straddle == "exclude" else Owner.AGENT
    assert trace.ids.tolist() == [3, 2, 3]
    assert trace.source.tolist() == [int(Owner.PROMPT), int(owner), int(Owner.AGENT)]
    assert trace.straddles == 1


def test_a_teachers_end_of_text_is_trained_where_that_is_asked_for() -> None:
    cases: list[tuple[Any, list[int]]] = [(Owner.AGENT, [97, 257]), (Owner.SCAFFOLD, [97])]
    for end_of_turn, expected in cases:
        recorder = TraceRecorder(as_codec(ByteTokenizer()), end_of_turn=end_of_turn)
        recorder.begin("Q")
        recorder.act("a")
        recorder.observe("", terminated=True)
        (sample,) = recorder.end().to_samples()
        assert sample.ids[sample.loss_mask()].tolist() == expected


def test_engines_that_drop_the_first_space_or_spell_special_tokens_are_understood() -> None:
    own = codec("sentencepiece")
    ids = own.encode(" the thing")
    for text, token_ids in (("the thing", ids), (" the thing</s>", [*ids, 2])):
        recorder = TraceRecorder(own)
        recorder.begin("Question:")
        recorder.act(Completion(text, token_ids=token_ids))
        recorder.observe("", terminated=True)
        trace = recorder.end()
        assert trace.to_samples()[0].ids[-len(token_ids) :].tolist() == token_ids
        assert recorder.counts["misspelt_turns"] == 0


def test_a_special_token_at_the_cut_stays_only_if_the_engine_kept_it() -> None:
    for stays in (False, True):
        recorder = TraceRecorder(as_codec(ByteTokenizer()))
        recorder.begin("Q")
        sampled = [*b"a", 257, *b"b"]
        first = Completion("ab", prompt_token_ids=[256, *b"Q"], token_ids=sampled)
        recorder.act(first, "a")
        recorder.observe("1")
        context = [256, *b"Qa", *([257] if stays else []), *b"1"]
        recorder.act(Completion("c", prompt_token_ids=context, token_ids=list(b"c")))
        recorder.observe("", terminated=True)
        trace = recorder.end()
        assert trace.ids.tolist() == [*context, *b"c"]
        assert not trace.forks
        assert trace.turns[0].end - trace.turns[0].start == 1 + stays

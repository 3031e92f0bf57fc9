"""TokenProvenance with odd engines and environments: nothing raises, nothing false is trained."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from recording import CONVERSATION, FORMATS, Engine, chat_tokenizer, codec, without_prompt

import react_envs
from react_envs.agents.policies import ScriptedPolicy
from react_envs.rollout import play, run_episodes
from react_envs.spaces import TextSpace
from react_envs.tokenization import ByteTokenizer, TokenCodec, as_codec
from react_envs.trace import Owner, Trace
from react_envs.types import Completion
from react_envs.wrappers import TokenProvenance

BYTES = ByteTokenizer()


class Says(gym.Env[str, str]):
    """Gives fixed observations, each perhaps with infos; the last ends the episode."""

    observation_space = TextSpace()
    action_space = TextSpace()

    def __init__(self, steps: list[Any], prompt: str = "Q", reward: Any = 0.5) -> None:
        self.steps = [step if isinstance(step, tuple) else (step, {}) for step in steps]
        self.prompt, self.reward = prompt, reward

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[str, dict[str, Any]]:
        super().reset(seed=seed)
        self.at = 0
        return self.prompt, {}

    def step(self, action: str) -> tuple[str, Any, bool, bool, dict[str, Any]]:
        observation, info = self.steps[self.at]
        self.at += 1
        return observation, self.reward, self.at == len(self.steps), False, info


def record(
    tokenizer: Any, actions: list[Any], steps: list[Any], prompt: str = "Q", **options: Any
) -> Trace:
    env = TokenProvenance(Says(steps, prompt), tokenizer, **options)
    env.reset()
    for action in actions:
        *_, info = env.step(action)
    trace: Trace = info["trace"]
    return trace


def owned(trace: Trace, owner: Owner) -> bytes:
    return b"".join(segment.text for segment in trace.segments if segment.owner is owner)


@settings(max_examples=150, deadline=None)
@given(CONVERSATION)
def test_owners_are_those_of_a_known_engine_through_the_wrapper(case: dict[str, Any]) -> None:
    own = codec(case["tokenizer"])
    end = sorted(own.control_ids)[-1] if case["ends"] else None
    keeps = case["keeps_cut_token"] and case["gives_prompts"]
    engine = Engine(own, case["seed"], case["perturbed"], keeps, end)
    engine.read_prompt(case["prompt"])
    steps = []
    for number, (text, result, form, cut) in enumerate(case["turns"]):
        last = number == len(case["turns"]) - 1
        written = FORMATS[form].call.format(text)
        observation = "" if last else FORMATS[form].result.format(result)
        steps.append((written, "\n\nand so on"[: 3 * cut], observation))
    env = TokenProvenance(
        Says([(o, {"kept": w} if tail else {}) for w, tail, o in steps], case["prompt"]), own
    )
    env.reset()
    for number, (written, tail, observation) in enumerate(steps):
        completion = engine.write(written + tail)
        given = completion if case["gives_prompts"] else without_prompt(completion)
        *_, info = env.step(given)
        engine.keeps_cut_token &= number < len(steps) - 1
        engine.read(written if tail else str(completion), observation)
    trace = info["trace"]
    trace.check()
    assert not trace.problems
    n = len(trace)
    assert trace.ids.tolist() == engine.ids[:n]
    assert [(int(o), int(t)) for o, t in zip(trace.source, trace.turn, strict=True)] == [
        (int(owner), turn) for owner, turn in engine.owners[:n]
    ]


def test_a_fork_to_an_unusable_context_spares_the_sample_before_it() -> None:
    first = Completion("a", prompt_token_ids=[256, 81], token_ids=[97])
    for bad in ([256, 2**40], [256, 999], [-1, 5]):
        second = Completion("b", prompt_token_ids=bad, token_ids=[98])
        trace = record(BYTES, [first, second], ["1", ""])
        assert [s.ids.tolist() for s in trace.to_samples()] == [[256, 81, 97]]


def test_a_misspelt_last_turn_is_not_trained() -> None:
    trace = record(BYTES, [Completion("Final Answer: 42", token_ids=list(b"zz"))], [""])
    assert trace.to_samples() == []


def test_kept_text_that_does_not_begin_the_action_is_not_trained_unless_the_engine_shows_it() -> (
    None
):
    action = Completion("  hello ", token_ids=list(b"  hello "))
    trace = record(BYTES, [action, "d"], [("c", {"kept": "hello"}), ""])
    assert trace.to_samples() == []
    shown = Completion("d", prompt_token_ids=[256, *b"Q  hello c"], token_ids=[100])
    trace = record(BYTES, [action, shown], [("c", {"kept": "hello"}), ""])
    assert owned(trace, Owner.AGENT) == b"  hello d"
    assert len(trace.to_samples()) == 1


def chat(role: str, *contents: str) -> dict[str, Any]:
    return {"messages": [{"role": role, "content": content} for content in contents]}


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("llama3_1", "tool"),
        ("qwen2_5", "user"),
        ("lfm2", "tool"),
        ("qwen3", "tool"),
        ("qwen3", "user"),
    ],
)
def test_several_messages_have_their_own_contents(name: str, role: str) -> None:
    own = as_codec(chat_tokenizer(name))
    contents = ("aa 1", "user", "zz")
    action = Completion("hm", token_ids=own.encode("hm"))
    trace = record(
        own, [action, "d"], [("x", chat(role, *contents)), ""], mode="chat", prompt="What?"
    )
    assert not trace.problems
    (sample,) = trace.to_samples()
    env = [bytes(s.text) for s in trace.segments if s.owner is Owner.ENV]
    if name == "qwen3" and role == "tool":  # no special token stands between
        assert b"aa 1" in env[0]
        assert b"zz" in env[0]
    else:
        assert env == [content.encode() for content in contents]
    reference = own.source.apply_chat_template(
        [
            {"role": "user", "content": "What?"},
            {"role": "assistant", "content": "hm"},
            *chat(role, *contents)["messages"],
        ],
        add_generation_prompt=True,
        return_dict=False,
    )
    assert sample.ids[: sample.turns[1].start].tolist() == reference


def test_a_template_that_leaves_the_observation_out_drops_the_sample() -> None:
    trace = record(chat_tokenizer("phi3"), ["a", "b"], [("1", chat("tool", "1")), ""], mode="chat")
    assert trace.to_samples() == []
    assert "leaves out" in trace.problems[0].reason


def test_a_template_that_changes_its_mind_late_is_noticed_at_the_end() -> None:
    tokenizer = copy.deepcopy(chat_tokenizer("qwen2_5"))
    tokenizer.chat_template = (
        "{% if messages|length > 6 %}LONG{% endif %}" + tokenizer.chat_template
    )
    for replies, right in ((2, True), (3, False), (4, False)):
        steps = [("1", chat("tool", "1"))] * replies + [""]
        trace = record(tokenizer, ["a"] * (replies + 1), steps, mode="chat")
        whole = [s for s in trace.to_samples() if s.turns[0].turn == 0]
        assert bool(whole) == right, replies


def test_a_stop_string_that_the_context_holds_is_the_agents() -> None:
    first = Completion("ab", prompt_token_ids=[256, 81], token_ids=list(b"ab##"))
    held = Completion("d", prompt_token_ids=[256, *b"Qab##c"], token_ids=list(b"d"))
    trace = record(BYTES, [first, held], ["c", ""])
    assert owned(trace, Owner.AGENT) == b"ab##d"
    assert trace.dropped == ()
    left_out = Completion("d", prompt_token_ids=[256, *b"Qabc"], token_ids=list(b"d"))
    trace = record(BYTES, [first, left_out], ["c", ""])
    assert owned(trace, Owner.AGENT) == b"abd"
    assert trace.dropped[0].ids == tuple(b"##")


def test_an_invented_observation_equal_to_the_real_one_is_not_the_agents() -> None:
    first = Completion("ab[1]", prompt_token_ids=[256, 81], token_ids=list(b"ab[1]"))
    second = Completion("d", prompt_token_ids=[256, *b"Qab[1]"], token_ids=list(b"d"))
    trace = record(BYTES, [first, second], [("[1]", {"kept": "ab"}), ""])
    assert owned(trace, Owner.AGENT) == b"abd"
    assert owned(trace, Owner.ENV) == b"[1]"


def test_a_context_of_text_alone_has_no_place_for_a_sampled_end_of_turn() -> None:
    first = Completion("ab", prompt_token_ids=[256, 81], token_ids=[*b"ab", 257])
    second = Completion("d", prompt_token_ids=[256, *b"Qabc"], token_ids=[*b"d", 257])
    trace = record(BYTES, [first, second], ["c", ""])
    assert trace.forks == ()
    assert trace.dropped[0].ids == (257,)


def test_the_bos_of_an_empty_prompt_is_not_trained() -> None:
    trace = record(BYTES, ["ab", "c"], ["1", ""], prompt="", text="whole")
    (sample,) = trace.to_samples()
    assert sample.labels().tolist() == [-100, 97, 98, -100, 99]


@pytest.mark.parametrize("text", ["segments", "whole"])
@pytest.mark.parametrize("last", ["", "Correct!"])
def test_a_teachers_end_of_text_is_there_however_the_episode_ends(text: Any, last: str) -> None:
    trace = record(BYTES, ["ab", "c"], ["1", last], text=text, end_of_turn="agent")
    trace.check()
    (sample,) = trace.to_samples()
    assert sample.ids[sample.loss_mask()].tolist() == [*b"abc", 257]


def test_a_cut_inside_a_token_that_ends_inside_a_character() -> None:
    words = [b"\xf0\x9f", b"\x99\x82\n", b"c", b"Q", *(bytes([b]) for b in range(256))]

    def encode(text: str) -> list[int]:
        return [4 + byte for byte in text.encode()]

    own = TokenCodec(encode, words.__getitem__)
    action = Completion("🙂\n", token_ids=[0, 1])
    trace = record(own, [action, "d"], [("c", {"kept": "🙂"}), ""])
    assert own.bytes_of(trace.ids.tolist()).decode() == "Q🙂cd"
    assert owned(trace, Owner.AGENT) == b"d"


def test_ids_beyond_a_vocabulary_are_not_trained() -> None:
    own = codec("qwen")
    action = Completion("a", token_ids=[*own.encode("a"), 999_999])
    assert record(own, [action], [""]).to_samples() == []


def test_an_observation_in_a_frame_where_it_stands_more_than_once_is_nobodys() -> None:
    first = Completion("a", prompt_token_ids=[256, 81], token_ids=[97])
    context = [256, *b"Qa\nuser\ns", 257, *b"\nassistant\n"]
    trace = record(
        BYTES, [first, Completion("b", prompt_token_ids=context, token_ids=[98])], ["s", ""]
    )
    assert not (trace.source == Owner.ENV).any()
    assert not trace.turns[0].exact


@pytest.mark.parametrize(
    ("actions", "steps"),
    [
        ([Completion("a", prompt_token_ids=[256, 999], token_ids=[97])], [""]),
        (["a", Completion("b", prompt_token_ids=["x"], token_ids=[98])], ["1", ""]),  # type: ignore[list-item]
        ([Completion("ab", token_ids=[97, 98], logprobs=[None, -0.1])], [""]),  # type: ignore[list-item]
        (["a"], [("", {"reward_terms": ["x"]})]),
        (["a"], [("", {"messages": ["x"]})]),
        (["a", "b"], [(None, {}), ""]),
        (["a", "b"], [("1", {"new_text": None}), ""]),
        (["a"], [("", {"kept": b"a"})]),
        ([b"a"], [""]),
        ([7], [""]),
    ],
)
@pytest.mark.parametrize("mode", ["completion", "chat"])
def test_nothing_that_is_said_raises(actions: list[Any], steps: list[Any], mode: Any) -> None:
    tokenizer = BYTES if mode == "completion" else chat_tokenizer("qwen2_5")
    trace = record(tokenizer, actions, steps, mode=mode)
    trace.check()
    assert Trace.from_json(json.dumps(trace.to_json())) == trace
    if not trace.to_samples():
        assert trace.problems


@pytest.mark.parametrize("reward", [None, float("nan"), float("inf"), "much"])
def test_a_reward_that_is_no_number_is_a_problem(reward: Any) -> None:
    env = TokenProvenance(Says([""], reward=reward), BYTES)
    env.reset()
    *_, info = env.step("a")
    assert info["trace"].to_samples() == []
    assert env.counts["dropped_samples"] == 1
    env.reset()  # and the next episode is recorded as if nothing had been
    assert not env.recorder.rows


@pytest.mark.parametrize("kind", [np.array, tuple, torch.tensor, lambda ids: list(np.array(ids))])
def test_ids_may_come_in_any_array(kind: Any) -> None:
    action = Completion("ab", prompt_token_ids=[256, 81], token_ids=[97, 98])
    action.token_ids = kind([97, 98])
    second = Completion("c", token_ids=[99])
    second.prompt_token_ids = kind([256, *b"Qab1"])
    trace = record(BYTES, [action, second], ["1", ""])
    assert trace.ids.tolist() == [256, *b"Qab1c"]
    assert len(trace.to_samples()) == 1


def test_a_fork_to_nothing_is_still_a_trace() -> None:
    first = Completion("a", prompt_token_ids=[256, 81], token_ids=[97])
    second = Completion("", prompt_token_ids=[], token_ids=[])
    trace = record(BYTES, [first, second], ["1", ""])
    trace.check()
    assert Trace.from_json(trace.to_json()) == trace
    assert len(trace.to_samples()) == 1


def test_numpy_numbers_become_json() -> None:
    trace = record(
        BYTES, ["a"], [("", {"reward_terms": {"f1": np.float32(0.5), "ok": np.bool_(1)}})]
    )
    assert Trace.from_json(json.dumps(trace.to_json())) == trace
    assert trace.turns[0].reward_terms == {"f1": 0.5, "ok": 1.0}


def test_infinite_log_probabilities_survive_json() -> None:
    action = Completion("a", token_ids=[97], logprobs=[float("-inf")])
    trace = record(BYTES, [action], [""])
    assert Trace.from_json(json.dumps(trace.to_json(), allow_nan=False)) == trace


@pytest.mark.parametrize(
    "change",
    [
        {"ids": [2**40] * 3},
        {"ids": [1.5] * 3},
        {"straddles": None},
        {"turn": ["0"] * 3},
        {"ids": []},
    ],
)
def test_what_is_no_trace_is_refused(change: dict[str, Any]) -> None:
    value = record(BYTES, ["a"], [""]).to_json()
    with pytest.raises(react_envs.errors.ArgumentError):
        Trace.from_json({**value, **change})


def test_an_episode_that_ends_outside_is_finished_by_hand() -> None:
    env = TokenProvenance(Says(["1", "2", "3"]), BYTES)
    limited = gym.wrappers.TimeLimit(env, 2)
    limited.reset()
    limited.step("a")
    *_, truncated, info = limited.step("b")
    assert truncated
    assert "trace" not in info
    trace = env.finish()
    assert owned(trace, Owner.AGENT) == b"ab"
    assert trace.unread == "2"
    limited.reset()
    limited.step("a")
    limited.reset()
    assert env.counts["abandoned"] == 1
    with pytest.raises(react_envs.errors.ArgumentError, match="before begin"):
        TokenProvenance(Says(["1"]), BYTES).finish()


def test_unseeded_episodes_of_several_environments_have_ids_of_their_own() -> None:
    rows = [record(BYTES, ["a"], [""]).episode for _ in range(3)]
    assert len({row.trajectory_id for row in rows}) == 3
    assert len({row.group_id for row in rows}) == 1


def test_a_rollout_hands_the_trace_on() -> None:
    def make() -> gym.Env[str, str]:
        return TokenProvenance(gym.make("ReactGSM8K-v0"), BYTES)

    answer = "Final Answer: 1\n"
    played = play(make(), ScriptedPolicy([answer]), 3)
    assert played.tokens is not None
    assert owned(played.tokens, Owner.AGENT) == answer.encode()
    assert "tokens" not in played.as_json()
    json.dumps(played.as_json(), default=str)
    records = list(run_episodes(make, ScriptedPolicy([answer]), range(3), concurrency=2))
    assert all(one.tokens is not None for one in records)


def test_a_codec_is_shared_by_copies_and_survives_a_pickle() -> None:
    own = codec("qwen")
    assert copy.deepcopy(own) is own
    again = pickle.loads(pickle.dumps(own))
    assert again.encode("Action: python") == own.encode("Action: python")
    by_hand = TokenCodec(lambda text: [0], lambda index: b"a")
    with pytest.raises(TypeError, match="by hand"):
        pickle.dumps(by_hand)

"""HFPolicy: ids and log-probabilities are exact, and neighbours in a batch change nothing."""

from __future__ import annotations

import copy
import gc
import importlib
import sys
import weakref
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest
import torch
from tiny_model import make_model, make_tokenizer

from react_envs.agents.policies.hf import HFPolicy, choose_tokens
from react_envs.errors import ArgumentError, MissingExtraError, PolicyFailure
from react_envs.rollout import run_episodes
from react_envs.types import Completion, Context, Turn

PROMPTS = ["Question:\n", "the", "Question: Ann has 3 apples and buys 12 more. " * 6, "Ann " * 20]
CONTEXTS = [Context(prompt, (), (), {}, seed=seed) for seed, prompt in enumerate(PROMPTS * 2)]


def make_policy(model: Any = None, **settings: Any) -> HFPolicy:
    settings = {"mode": "completion", "max_new_tokens": 24, **settings}
    return HFPolicy(model or make_model(), make_tokenizer(), **settings)


def ids_of(completion: Completion) -> list[int]:
    assert completion.token_ids is not None
    return completion.token_ids


def forward_logprobs(model: Any, completion: Completion) -> torch.Tensor:
    """Log-probabilities of the sampled tokens in one unpadded forward pass."""
    assert completion.prompt_token_ids is not None
    whole = torch.tensor([completion.prompt_token_ids + ids_of(completion)])
    with torch.no_grad():
        logprobs = model(whole).logits[0].float().log_softmax(-1)
    start = len(completion.prompt_token_ids)
    return logprobs[start - 1 : -1].gather(-1, whole[0, start:, None])[:, 0]


def after(context: Context, completion: Completion) -> Context:
    """The context of the next turn: all of the completion was kept, and a tool said 15."""
    kept, observation = str(completion), "\nObservation: 15\n"
    said = ({"role": "assistant", "content": kept}, {"role": "tool", "content": "15"})
    return replace(
        context,
        prompt=context.prompt + kept + observation,
        messages=(*context.messages, *said),
        turns=(*context.turns, Turn(kept=kept, observation=observation)),
    )


class BrokenModel:
    """Stands in for `model.generate` and raises."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __call__(self, **kwargs: Any) -> Any:
        raise self.error


# Exactness


@pytest.mark.parametrize(
    ("temperature", "top_p"), [(0.0, 1.0), (1.0, 1.0), (0.6, 0.9)], ids=["greedy", "plain", "top-p"]
)
def test_logprobs_are_the_models_own_at_the_sampled_ids(temperature: float, top_p: float) -> None:
    policy = make_policy(temperature=temperature, top_p=top_p)
    for completion in policy.generate(CONTEXTS):
        expected = forward_logprobs(policy.model, completion)
        torch.testing.assert_close(torch.tensor(completion.logprobs), expected, atol=2e-5, rtol=0)


def test_greedy_tokens_are_the_likeliest() -> None:
    policy = make_policy()
    (completion,) = policy.generate(CONTEXTS[:1])
    assert completion.prompt_token_ids is not None
    whole = torch.tensor([completion.prompt_token_ids + ids_of(completion)])
    likeliest = policy.model(whole).logits[0].argmax(-1)
    assert likeliest[len(completion.prompt_token_ids) - 1 : -1].tolist() == ids_of(completion)


def test_the_text_is_that_of_the_ids_without_special_tokens() -> None:
    tokenizer = make_tokenizer()
    completions = make_policy(temperature=2.0, max_new_tokens=200).generate(CONTEXTS)
    for completion in completions:
        assert completion == tokenizer.decode(ids_of(completion), skip_special_tokens=True)
    special = set(tokenizer.all_special_ids)
    assert any(special & set(ids_of(completion)[:-1]) for completion in completions)


def test_a_chat_prompt_is_the_template_over_the_messages() -> None:
    messages = ({"role": "system", "content": "Think."}, {"role": "user", "content": "3 + 12?"})
    completion = make_policy(mode="chat")(Context("unused", messages, (), {}))
    assert completion.prompt_token_ids == make_tokenizer().apply_chat_template(
        list(messages), add_generation_prompt=True, return_dict=False
    )


@pytest.mark.parametrize("mode", ["chat", "completion"])
def test_over_an_episode_each_prompt_extends_what_was_read_and_sampled(mode: str) -> None:
    policy = make_policy(mode=mode, temperature=1.0)
    context = Context("Question:\n", ({"role": "user", "content": "3 + 12?"},), (), {}, seed=4)
    so_far: list[int] = []
    for _ in range(4):
        completion = policy(context)
        assert completion.prompt_token_ids is not None
        assert completion.prompt_token_ids[: len(so_far)] == so_far
        expected = forward_logprobs(policy.model, completion)
        torch.testing.assert_close(torch.tensor(completion.logprobs), expected, atol=2e-5, rtol=0)
        so_far = completion.prompt_token_ids + ids_of(completion)
        context = after(context, completion)
    assert make_tokenizer().encode(context.prompt)[: len(so_far)] != so_far
    assert policy.forks == 0


@pytest.mark.parametrize(("dialect", "mode"), [("react", "completion"), ("hermes", "chat")])
def test_episodes_in_the_real_environment_are_token_exact(dialect: str, mode: str) -> None:
    policy = make_policy(mode=mode, temperature=1.0, batch_size=4)
    written: dict[int, list[tuple[Context, Completion]]] = defaultdict(list)

    def noting(context: Context) -> Completion:
        completion = policy(context)
        written[context.seed].append((context, completion))
        return completion

    def make_env() -> gym.Env[str, str]:
        return gym.make("ReactGSM8K-v0", dialect=dialect, max_steps=3)

    records = list(run_episodes(make_env, noting, range(6), concurrency=4))
    assert [record.error for record in records] == [None] * 6
    pairs = [pair for turns in written.values() for pair in pairwise(turns)]
    assert len(pairs) >= 6
    for (_, before), (context, after) in pairs:
        assert before.prompt_token_ids is not None
        assert after.prompt_token_ids is not None
        whole = context.turns[-1].kept == before
        read = before.prompt_token_ids + (ids_of(before) if whole else [])
        assert after.prompt_token_ids[: len(read)] == read
    assert policy.forks == 0


# Batches


def test_neither_padding_nor_neighbours_change_a_sample() -> None:
    # The tokenizer's padding is its end-of-turn token, and the prompts' lengths differ by far.
    alone = [make_policy(temperature=1.0)(context) for context in CONTEXTS]
    together = make_policy(temperature=1.0, batch_size=len(CONTEXTS)).generate(CONTEXTS)
    for one, other in zip(alone, together, strict=True):
        assert ids_of(one) == ids_of(other)
        assert one.prompt_token_ids == other.prompt_token_ids
        assert one.logprobs == pytest.approx(other.logprobs, abs=2e-5)
        assert one.finish_reason == other.finish_reason


def test_threads_share_generate_calls_and_get_what_they_would_get_alone() -> None:
    policy = make_policy(temperature=1.0, batch_size=4)
    sizes: list[int] = []
    generate = policy.model.generate

    def counting(**kwargs: Any) -> Any:
        sizes.append(len(kwargs["input_ids"]))
        return generate(**kwargs)

    policy.model.generate = counting
    contexts = [replace(context, seed=seed) for seed in range(3) for context in CONTEXTS]
    with ThreadPoolExecutor(12) as pool:
        together = list(pool.map(policy, contexts))
    assert sum(sizes) == len(contexts)
    assert max(sizes) == 4
    assert len(sizes) <= len(contexts) // 2
    alone = [make_policy(temperature=1.0)(context) for context in contexts[:8]]
    assert [ids_of(c) for c in alone] == [ids_of(c) for c in together[:8]]


def test_the_seed_and_the_turn_fix_a_sample() -> None:
    policy = make_policy(temperature=1.0)
    context = Context("Question:\n", (), (), {}, seed=-7)
    turn = Turn(kept="", observation="")
    others = [replace(context, seed=8), replace(context, turns=(turn,))]
    first, again, *different = (ids_of(policy(c)) for c in [context, context, *others])
    assert first == again
    assert len({tuple(ids) for ids in [first, *different]}) == 3


def test_rows_stop_one_by_one_soon_after_their_own_stop_string() -> None:
    free = make_policy(temperature=1.0, max_new_tokens=60).generate(CONTEXTS[:4])
    stops: list[tuple[str, ...]] = [
        (str(free[0])[10:14], "never said"),
        (str(free[1])[25:32], ""),
        ("never said",),
        (),
    ]
    contexts = [replace(c, stop=stop) for c, stop in zip(CONTEXTS, stops, strict=False)]
    stopped = make_policy(temperature=1.0, max_new_tokens=60).generate(contexts)
    for before, after, stop in zip(free, stopped, stops, strict=True):
        assert ids_of(before)[: len(ids_of(after))] == ids_of(after)
        if stop and stop[0] in before:
            assert stop[0] in after
            assert stop[0] not in make_tokenizer().decode(ids_of(after)[:-1])
            assert after.finish_reason == "stop"
        else:
            assert ids_of(before) == ids_of(after)
    assert [len(ids_of(after)) < 60 for after in stopped[:2]] == [True, True]
    assert "length" in [after.finish_reason for after in stopped[2:]]


def test_end_tokens_come_from_the_checkpoint_and_the_tokenizer_and_are_kept() -> None:
    free = make_policy(temperature=1.0).generate(CONTEXTS)
    model = make_model()
    end = ids_of(free[0])[7]
    model.generation_config.eos_token_id = [end, 399]
    completions = make_policy(model, temperature=1.0).generate(CONTEXTS)
    ends = {end, 399, make_tokenizer().eos_token_id}
    for before, after in zip(free, completions, strict=True):
        at = next((n for n, token in enumerate(ids_of(before)) if token in ends), None)
        assert ids_of(after) == ids_of(before)[: None if at is None else at + 1]
        assert after.finish_reason == ("length" if at is None else "stop")
        assert len(after.logprobs or ()) == len(ids_of(after))
    assert completions[0].finish_reason == "stop"


# Sampling


def test_tokens_are_drawn_as_often_as_they_are_likely() -> None:
    torch.manual_seed(0)
    logits = torch.randn(1, 50)
    uniforms = (torch.arange(20_000) + 0.5) / 20_000
    drawn = choose_tokens(logits.expand(20_000, 50), 0.7, 1.0, uniforms).bincount(minlength=50)
    expected = (logits[0] / 0.7).softmax(-1) * 20_000
    assert (drawn - expected).abs().max() <= 2


@pytest.mark.parametrize(
    ("top_p", "support"), [(0.4, 1), (0.499, 1), (0.51, 2), (0.8, 3), (1.0, 4)]
)
def test_top_p_draws_from_the_smallest_set_that_is_likely_enough(
    top_p: float, support: int
) -> None:
    logits = torch.tensor([0.125, 0.5, 0.125, 0.25]).log().expand(800, 4)
    uniforms = torch.arange(800, dtype=torch.float64) / 800
    drawn = choose_tokens(logits, 1.0, top_p, uniforms).bincount(minlength=4)
    assert (drawn > 0).sum() == support
    assert set(drawn.argsort(descending=True, stable=True)[:2].tolist()) == {1, 3} or support == 1
    kept = torch.tensor([0.125, 0.5, 0.125, 0.25]).where(drawn > 0, 0)
    assert (drawn - kept / kept.sum() * 800).abs().max() <= 1


def test_a_token_of_probability_zero_is_never_drawn() -> None:
    logits = torch.tensor([[-torch.inf, 0.0, -torch.inf, 0.0, -torch.inf]]).expand(3, 5)
    uniforms = torch.tensor([0.0, 0.5, 1 - 2**-53], dtype=torch.float64)
    assert choose_tokens(logits, 1.0, 1.0, uniforms).tolist() == [1, 3, 3]


def test_generation_defaults_of_the_checkpoint_have_no_say_and_come_back() -> None:
    model = make_model()
    expected = [ids_of(c) for c in make_policy(model, temperature=1.0).generate(CONTEXTS)]
    defaults = model.generation_config
    defaults.update(num_beams=3, repetition_penalty=5.0, no_repeat_ngram_size=1, top_k=1)
    defaults.update(do_sample=True, temperature=9.0, min_new_tokens=20, max_length=30)
    actual = [ids_of(c) for c in make_policy(model, temperature=1.0).generate(CONTEXTS)]
    assert actual == expected
    assert model.generation_config is defaults


def test_dropout_is_off_while_writing_and_on_again_afterwards() -> None:
    expected = [ids_of(c) for c in make_policy().generate(CONTEXTS)]
    model = make_model(attention_dropout=0.9)
    model.train()
    model.lm_head.eval()
    assert [ids_of(c) for c in make_policy(model).generate(CONTEXTS)] == expected
    assert model.training
    assert model.model.layers[0].self_attn.training
    assert not model.lm_head.training


def test_the_global_random_state_is_left_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    make_policy(temperature=1.0).generate(CONTEXTS[:2])
    assert torch.equal(torch.rand(3), expected)


# Limits and failures


def test_a_context_without_room_fails_alone_and_one_with_little_room_is_cut_short() -> None:
    room = len(make_tokenizer().encode(PROMPTS[2]))
    model = make_model(max_position_embeddings=room + 5)
    policy = make_policy(model, temperature=1.0)
    completions = policy.generate(CONTEXTS[:4])
    assert [len(ids_of(c)) for c in completions] == [24, 24, 5, 24]
    assert completions[2].finish_reason == "length"
    free = make_policy(temperature=1.0).generate(CONTEXTS[:4])
    for limited, unlimited in zip(completions, free, strict=True):
        assert ids_of(limited) == ids_of(unlimited)[: len(ids_of(limited))]
    with pytest.raises(PolicyFailure, match="tokens") as failure:
        policy(replace(CONTEXTS[2], prompt=PROMPTS[2] * 2))
    assert failure.value.kind == "context_length"


def test_an_empty_context_is_the_programmers_mistake() -> None:
    with pytest.raises(ArgumentError, match="empty"):
        make_policy()(Context("", (), (), {}))


@pytest.mark.parametrize("mode", ["chat", "completion"])
def test_an_episode_that_fills_the_context_fails_at_the_turn_without_room(mode: str) -> None:
    policy = make_policy(make_model(max_position_embeddings=128), mode=mode, temperature=1.0)
    context = Context("Question:\n", ({"role": "user", "content": "3 + 12?"},), (), {})
    read_and_written = 0
    failure = None
    while failure is None:
        try:
            completion = policy(context)
        except PolicyFailure as error:
            failure = error
        else:
            assert completion.prompt_token_ids is not None
            read_and_written = len(completion.prompt_token_ids + ids_of(completion))
            context = after(context, completion)
    assert failure.kind == "context_length"
    assert len(context.turns) >= 2
    assert 128 - 24 < read_and_written <= 128


def test_an_episode_in_the_real_environment_that_fills_the_context_is_no_error() -> None:
    def make_env() -> gym.Env[str, str]:
        return gym.make("ReactGSM8K-v0", max_steps=50)

    prompt, _ = make_env().reset(options={"index": 0})
    room = len(make_tokenizer().encode(prompt)) + 100
    policy = make_policy(make_model(max_position_embeddings=room), temperature=1.0)
    (record,) = run_episodes(make_env, policy, [0])
    assert (record.stop_reason, record.reward, record.error) == ("context_length", 0.0, None)
    assert record.turns


def cpu_allocation_error() -> RuntimeError:
    """What torch raises of itself where the CPU's memory is short."""
    with pytest.raises(RuntimeError) as error:
        torch.empty(10**15)
    return error.value


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        pytest.param(torch.OutOfMemoryError("too much"), "out_of_memory", id="torch's memory"),
        pytest.param(cpu_allocation_error(), "out_of_memory", id="CPU's memory"),
        pytest.param(RuntimeError("MPS backend out of memory"), "out_of_memory", id="MPS's memory"),
        pytest.param(MemoryError("too much"), "out_of_memory", id="Python's memory"),
        pytest.param(torch.AcceleratorError("device lost"), "accelerator", id="accelerator"),
        pytest.param(RuntimeError("CUDA error: lost"), "accelerator", id="CUDA"),
        pytest.param(RuntimeError("CUDA driver error: lost"), "accelerator", id="driver"),
        pytest.param(RuntimeError("cuDNN error: STATUS_FAILED"), "accelerator", id="cuDNN"),
    ],
)
def test_a_failure_of_memory_or_device_reaches_every_waiting_thread(
    error: Exception, kind: str
) -> None:
    policy = make_policy()
    generate = policy.model.generate
    policy.model.generate = BrokenModel(error)

    def kind_of(context: Context) -> str:
        with pytest.raises(PolicyFailure) as failure:
            policy(context)
        assert str(error) in str(failure.value)
        return failure.value.kind

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(kind_of, CONTEXTS)) == [kind] * 8
    policy.model.generate = generate
    assert policy(CONTEXTS[0]).finish_reason == "length"


@pytest.mark.parametrize(
    "bug",
    [
        TypeError("got an unexpected keyword argument"),
        IndexError("index out of range in self"),
        AttributeError("no attribute 'lm_head'"),
        RuntimeError("mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)"),
        torch.AcceleratorError("CUDA error: device-side assert triggered"),
    ],
    ids=lambda bug: type(bug).__name__,
)
def test_a_bug_of_the_model_is_raised_as_it_is_in_every_waiting_thread(bug: Exception) -> None:
    policy = make_policy()
    policy.model.generate = BrokenModel(bug)
    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(policy, context) for context in CONTEXTS]
        assert [future.exception() for future in futures] == [bug] * 8
    with pytest.raises(type(bug)) as raised:
        policy.generate(CONTEXTS[:2])
    assert raised.value is bug


def test_a_token_that_the_model_has_no_embedding_for_is_a_bug_and_shows_as_one() -> None:
    with pytest.raises(IndexError):
        make_policy(make_model(vocab_size=10))(CONTEXTS[0])


def test_a_failure_does_not_hold_on_to_what_filled_the_memory() -> None:
    tensors: list[weakref.ref[torch.Tensor]] = []

    def generate(**kwargs: Any) -> None:
        large = torch.zeros(1)
        tensors.append(weakref.ref(large))
        raise torch.OutOfMemoryError("too much")

    policy = make_policy()
    policy.model.generate = generate
    gc.disable()
    try:
        with pytest.raises(PolicyFailure) as failure:
            policy(CONTEXTS[0])
        assert failure.value.kind == "out_of_memory"
        assert [tensor() for tensor in tensors] == [None]
    finally:
        gc.enable()


def test_logits_that_are_no_numbers_are_a_failure_and_not_a_text() -> None:
    model = make_model()
    torch.nn.init.constant_(model.lm_head.weight, torch.nan)
    for temperature in (0.0, 1.0):
        with pytest.raises(PolicyFailure) as failure:
            make_policy(model, temperature=temperature)(CONTEXTS[0])
        assert failure.value.kind == "not_finite"


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"mode": "text"}, id="mode"),
        pytest.param({"max_new_tokens": 0}, id="max_new_tokens"),
        pytest.param({"temperature": -0.1}, id="temperature"),
        pytest.param({"temperature": float("nan")}, id="temperature nan"),
        pytest.param({"top_p": 0.0}, id="top_p"),
        pytest.param({"batch_size": 0}, id="batch_size"),
        pytest.param({"dtype": "float32"}, id="dtype of a loaded model"),
        pytest.param({"device": "cpu"}, id="device of a loaded model"),
    ],
)
def test_unusable_arguments_are_refused_at_once(settings: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError):
        make_policy(**settings)


def test_a_loaded_model_needs_a_tokenizer_and_chat_a_template() -> None:
    with pytest.raises(ArgumentError, match="tokenizer"):
        HFPolicy(make_model())
    tokenizer = copy.deepcopy(make_tokenizer())
    tokenizer.chat_template = None
    with pytest.raises(ArgumentError, match="template"):
        HFPolicy(make_model(), tokenizer, mode="chat")


def test_a_model_is_loaded_by_path_in_the_wanted_dtype(tmp_path: Path) -> None:
    make_model().save_pretrained(tmp_path)
    make_tokenizer().save_pretrained(tmp_path)
    settings: dict[str, Any] = {"mode": "completion", "max_new_tokens": 24, "device": "cpu"}
    policy = HFPolicy(str(tmp_path), **settings)
    assert policy.model.dtype == torch.float32
    expected = make_policy().generate(CONTEXTS)
    assert [ids_of(c) for c in policy.generate(CONTEXTS)] == [ids_of(c) for c in expected]
    half = HFPolicy(tmp_path, dtype="bfloat16", **settings)
    assert half.model.dtype == torch.bfloat16
    for completion in half.generate(CONTEXTS[:2]):
        actual = torch.tensor(completion.logprobs)
        torch.testing.assert_close(
            actual, forward_logprobs(half.model, completion), atol=0.2, rtol=0
        )


def test_generate_takes_any_number_of_contexts() -> None:
    policy = make_policy(batch_size=3, max_new_tokens=2)
    assert policy.generate([]) == []
    together: Callable[[list[Context]], list[Completion]] = policy.generate
    assert [len(ids_of(c)) for c in together(CONTEXTS)] == [2] * len(CONTEXTS)


@pytest.mark.parametrize("missing", ["torch", "transformers"])
def test_without_the_extra_the_import_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.delitem(sys.modules, "react_envs.agents.policies.hf")
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingExtraError, match=rf"{missing} .*react-envs\[hf\]"):
        importlib.import_module("react_envs.agents.policies.hf")

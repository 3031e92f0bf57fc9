"""GRPO: groups, signs, masks, variants, warnings."""

from __future__ import annotations

import itertools
import math
import warnings
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from toys import model, problems, tokenizer, weights

from react_envs.agents.learners import GRPO, CollapseWarning
from react_envs.agents.learners.grpo import _spread
from react_envs.errors import ArgumentError, PolicyFailure, ToolFailure
from react_envs.rollout import EpisodeRecord
from react_envs.simulators import PolicySimulator, Simulator
from react_envs.trace import Owner
from react_envs.types import Completion, ToolResult

RIGHT, WRONG = "Final Answer: 5\n", "Final Answer: 4\n"


class Scripted:
    """Plays the turns of a script, with ids, for `GRPO.policy`."""

    def __init__(self, turns_of: Any) -> None:
        self.turns_of = turns_of
        self.number = itertools.count()
        self.given: dict[Any, int] = {}

    def __call__(self, context: Any) -> Completion:
        return self.generate([context])[0]

    def generate(self, contexts: Any) -> list[Completion]:
        return [self._turn(context) for context in contexts]

    def _turn(self, context: Any) -> Completion:
        key = context.seed
        if key not in self.given:
            self.given[key] = next(self.number)
        text = self.turns_of(self.given[key])[len(context.turns)]
        ids = [*tokenizer().encode(text), tokenizer().eos_token_id]
        told = sum(len(t.kept) + len(t.observation) for t in context.turns)
        prompt = tokenizer().encode(context.prompt[: len(context.prompt) - told])
        for turn in context.turns:
            prompt += [*tokenizer().encode(turn.kept), tokenizer().eos_token_id]
            prompt += tokenizer().encode(turn.observation)
        return Completion(text, prompt_token_ids=prompt, token_ids=ids, logprobs=[-1.0] * len(ids))


def one_task(**options: Any) -> gym.Env[str, str]:
    """The answer is always 5."""
    from react_envs.tasks import TaskList
    from react_envs.types import Task

    env = problems(**options)
    env.unwrapped.tasks = TaskList([Task("five?", ("5",), index=0), Task("5?", ("5",), index=1)])  # type: ignore[attr-defined]
    return env


def learner(turns_of: Any, net: Any = None, **options: Any) -> GRPO:
    usual: dict[str, Any] = {"prompts": 2, "group": 4, "steps": 2, "lr": 1e-2}
    make = options.pop("make_env", one_task)
    made = GRPO(net or model(), tokenizer(), make, **{**usual, **options})
    made.policy = Scripted(turns_of)  # type: ignore[assignment]
    return made


@torch.no_grad()
def logprob(net: Any, text: str) -> float:
    prompt = tokenizer().encode("Question: five?\n")
    ids = tokenizer().encode(text)
    logits = net(input_ids=torch.tensor([prompt + ids])).logits.log_softmax(-1)[0]
    return float(sum(logits[len(prompt) + i - 1, t] for i, t in enumerate(ids)))


def test_what_was_right_becomes_likelier_than_what_was_wrong() -> None:
    net = model()
    before = logprob(net, RIGHT) - logprob(net, WRONG)
    made = learner(lambda n: [RIGHT] if n % 2 else [WRONG], net)
    metrics = [made.update(step) for step in range(2)]
    assert logprob(net, RIGHT) - logprob(net, WRONG) > before
    assert metrics[0]["em"] == 0.5
    assert metrics[0]["live_groups"] == 1.0
    made.close()


def test_groups_that_agree_change_nothing() -> None:
    net = model()
    before = weights(net)
    made = learner(lambda n: [WRONG], net)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CollapseWarning)
        metrics = made.update(0)
    assert weights(net).equal(before)
    assert metrics["live_groups"] == 0.0
    assert metrics["entropy"] > 0
    made.close()


CALL = "Action: python\nAction Input: print(5)\n"


def test_the_tools_tokens_are_reinforced_by_mistake_alone() -> None:
    made = learner(lambda n: [CALL, RIGHT if n % 2 else WRONG])
    made.update(0)
    (sample,) = made.records[0].tokens.to_samples()  # type: ignore[union-attr]
    observed = sample.source == int(Owner.ENV)
    assert observed.any()
    assert not _spread(sample, np.array([1.0]), ("agent",))[observed].any()
    assert _spread(sample, np.array([1.0]), ("agent", "env"))[observed].all()
    made.close()

    def changed(owners: tuple[str, ...]) -> torch.Tensor:
        net = model()
        each = learner(lambda n: [CALL, RIGHT if n % 2 else WRONG], net, train=owners)
        each.update(0)
        each.close()
        return weights(net)

    assert not torch.allclose(changed(("agent",)), changed(("agent", "env")))


def test_credit_of_turns_lands_on_their_own_tokens() -> None:
    made = learner(lambda n: [CALL, RIGHT if n % 2 else WRONG])
    made.update(0)
    (sample,) = made.records[0].tokens.to_samples()  # type: ignore[union-attr]
    spread = _spread(sample, np.array([1.0, 2.0]), ("agent",))
    for row, value in zip(sample.turns, (1.0, 2.0), strict=True):
        assert set(spread[row.start : row.end].tolist()) == {value}
    made.close()


@pytest.mark.parametrize("variant", ["grpo", "dr_grpo", "mt_grpo"])
def test_every_variant_learns_from_a_difference(variant: Any) -> None:
    net = model()
    before = logprob(net, RIGHT) - logprob(net, WRONG)
    made = learner(
        lambda n: [CALL, RIGHT if n % 2 else WRONG],
        net,
        variant=variant,
        make_env=lambda: one_task(reward="turn_credit"),
    )
    metrics = made.update(0)
    assert logprob(net, RIGHT) - logprob(net, WRONG) > before
    assert metrics["calls"] == 1.0
    made.close()


def test_a_gradient_in_parts_is_the_gradient() -> None:
    def after(**options: Any) -> torch.Tensor:
        net = model()
        made = learner(lambda n: [RIGHT] if n % 2 else [CALL, WRONG], net, **options)
        made.update(0)
        made.close()
        return weights(net)

    torch.testing.assert_close(after(), after(minibatch=3), rtol=1e-3, atol=1e-4)


def test_a_reference_holds_the_policy_back() -> None:
    def metrics(**options: Any) -> list[dict[str, float]]:
        made = learner(lambda n: [RIGHT] if n % 2 else [WRONG], **options)
        rows = [made.update(step) for step in range(2)]
        made.close()
        return rows

    rows = metrics(kl_coef=0.1)
    assert rows[0]["kl"] == pytest.approx(0.0, abs=1e-6)
    assert rows[1]["kl"] > 0
    assert metrics()[1]["kl"] == 0.0


def test_several_epochs_are_clipped() -> None:
    made = learner(lambda n: [RIGHT] if n % 2 else [WRONG], epochs=4, lr=5e-2)
    assert made.update(0)["clip_fraction"] > 0
    made.close()


def test_the_world_s_failures_are_left_out_and_counted() -> None:
    class Down(Simulator):
        def prompt(self, call: Any) -> str:
            return ""

        def write(self, prompt: str, call: Any) -> ToolResult:
            raise ToolFailure("down", "connection")

    class Dead(gym.Wrapper[str, str, str, str]):
        def step(self, action: str) -> Any:
            raise ToolFailure("the machine is gone", "host")

    count = itertools.count()

    def make_env() -> gym.Env[str, str]:
        env = one_task(simulate=Down())
        return Dead(env) if next(count) == 0 else env

    made = learner(lambda n: [RIGHT] if n % 2 else [CALL, WRONG], make_env=make_env)
    metrics = made.update(0)
    assert metrics["failures"] == 1.0
    assert metrics["em"] == pytest.approx(4 / 7)
    made.close()


def test_an_update_that_the_world_ended_says_nothing_of_the_model() -> None:
    class Dead(gym.Wrapper[str, str, str, str]):
        def step(self, action: str) -> Any:
            raise ToolFailure("the machine is gone", "host")

    net = model()
    before = weights(net)
    made = learner(lambda n: [RIGHT], net, make_env=lambda: Dead(one_task()))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        metrics = made.update(0)
    assert metrics["failures"] == 8.0
    assert math.isnan(metrics["em"])
    assert weights(net).equal(before)
    made.close()


def test_an_episode_whose_context_was_full_is_learned_from() -> None:
    """Its turns are what led there; else a group learns from those that ended well alone."""

    class Full(Scripted):
        def _turn(self, context: Any) -> Completion:
            if len(context.turns) == 1:
                raise PolicyFailure("the context is full", "context_length")
            return super()._turn(context)

    made = learner(lambda n: [CALL] if n % 2 else [WRONG])
    made.policy = Full(lambda n: [CALL] if n % 2 else [RIGHT])  # type: ignore[assignment]
    metrics = made.update(0)
    full = [r for r in made.records if r.stop_reason == "context_length"]
    assert len(full) == 4
    assert metrics["live_groups"] == 1.0
    calls = [sample for record in full if record.tokens for sample in record.tokens.to_samples()]
    assert [len(sample.turns) for sample in calls] == [1] * 4
    agents = sum(int((sample.source == int(Owner.AGENT)).sum()) for sample in calls)
    assert metrics["tokens"] > agents > 0
    made.close()


def test_two_runs_with_one_seed_are_equal_and_another_seed_is_not() -> None:
    def rows(seed: int) -> list[dict[str, float]]:
        net = model(width=32)
        made = GRPO(
            net, tokenizer(), problems, prompts=2, group=3, max_new_tokens=6, seed=seed, steps=2
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CollapseWarning)
            found = [made.update(step) for step in range(2)]
        made.close()
        return found

    assert rows(1) == rows(1) != rows(2)


def test_indices_are_gone_round_in_order() -> None:
    made = learner(lambda n: [RIGHT], indices=[1, 0, 1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CollapseWarning)
        made.update(0)
        assert [record.index for record in made.records] == [1] * 4 + [0] * 4
        made.update(1)
    assert [record.index for record in made.records] == [1] * 4 + [1] * 4
    made.close()


def test_a_run_without_difference_is_warned_of_once() -> None:
    made = learner(lambda n: [WRONG])
    with pytest.warns(CollapseWarning, match="nothing is left"):
        made.update(0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made.update(1)
    made.close()


def test_a_run_that_stops_calling_is_warned_of() -> None:
    made = learner(lambda n: [CALL, RIGHT if n % 2 else WRONG] if n < 8 else [RIGHT])
    made.update(0)
    with pytest.warns(CollapseWarning, match="calls per episode fell from 1.00 to 0.00"):
        made.update(1)
    made.close()


def test_success_is_no_collapse() -> None:
    made = learner(lambda n: [CALL, RIGHT])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made.update(0)
        made.update(1)
    made.close()


def test_what_training_knows_of_its_step_reaches_the_simulators() -> None:
    from react_envs.simulators import set_training_step

    seen: list[float] = []

    def advance(envs: Any, step: int, steps: int) -> None:
        for env in envs:
            set_training_step(env, step, steps)
        seen.append(simulator.progress)

    simulator = PolicySimulator(lambda context: "5")
    simulator.prompt = lambda call: "a"  # type: ignore[method-assign]
    made = learner(
        lambda n: [CALL, RIGHT if n % 2 else WRONG],
        make_env=lambda: one_task(simulate=simulator),
        on_step=advance,
    )
    made.update(0)
    made.update(1)
    assert seen == [0.0, 0.5]
    assert simulator.calls == 16
    made.close()


def test_what_cannot_be_used_is_said() -> None:
    for options in ({"variant": "ppo"}, {"group": 1}, {"prompts": 0}, {"epochs": 0}):
        with pytest.raises(ArgumentError):
            GRPO(model(), tokenizer(), problems, **options)
    assert EpisodeRecord is not None

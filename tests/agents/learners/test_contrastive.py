"""AutoCoA's first stage: pairs, loss, learning."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from toys import lessons, model, problems, tokenizer

from react_envs.agents.learners import (
    ActionPair,
    Contrastive,
    Teacher,
    action_pairs,
    contrastive_loss,
)
from react_envs.agents.policies import make_policy
from react_envs.errors import ArgumentError
from react_envs.rollout import EpisodeRecord, play
from react_envs.tokenization import as_codec
from react_envs.types import Context
from react_envs.wrappers import TokenProvenance


def record(index: int, *, acts: bool, right: bool) -> EpisodeRecord:
    """A trajectory of the oracle or the thinker, its answer made wrong where it is to be."""
    env = TokenProvenance(problems(), tokenizer())
    policy = make_policy("oracle" if acts else "thinker", env)

    def writes(context: Context) -> str:
        text = str(policy(context))
        return text if right or "Final Answer" not in text else "Final Answer: -1\n"

    return play(env, Teacher(writes, as_codec(tokenizer()), tokenizer().eos_token_id), index)


def test_the_four_cases() -> None:
    def pairs(act_right: bool, think_right: bool) -> list[ActionPair]:
        return action_pairs(
            [record(0, acts=True, right=act_right)], [record(0, acts=False, right=think_right)]
        )

    assert pairs(True, True) == pairs(False, False) == []
    (acts,) = pairs(True, False)
    (thinks,) = pairs(False, True)
    text = tokenizer().decode
    assert acts.acts
    assert not thinks.acts
    assert acts.prefix == thinks.prefix  # the question
    assert "Action: python" in text(acts.chosen)
    assert "Final Answer: -1" in text(acts.rejected)
    assert "Final Answer" in text(thinks.chosen)
    assert "Action: python" in text(thinks.rejected)
    assert acts.chosen[-1] == acts.rejected[-1] == tokenizer().eos_token_id


def test_every_call_of_a_chain_is_a_place_to_act() -> None:
    env = TokenProvenance(problems(difficulty=3, max_steps=6), tokenizer())
    teacher = Teacher(make_policy("oracle", env), as_codec(tokenizer()), tokenizer().eos_token_id)
    actor = play(env, teacher, 0)
    wrong = Teacher(
        lambda context: "Final Answer: -1\n", as_codec(tokenizer()), tokenizer().eos_token_id
    )
    pairs = action_pairs([actor], [play(env, wrong, 0)])
    assert len(pairs) == actor.calls == 3
    sample = actor.tokens.to_samples()[0] if actor.tokens else None
    assert sample is not None
    for pair, row in zip(pairs, sample.turns, strict=False):
        assert pair.prefix == sample.ids[: row.start].tolist()
        assert "Observation" not in tokenizer().decode(pair.chosen)


def test_other_tasks_and_failed_episodes_make_no_pair() -> None:
    actor, thinker = record(0, acts=True, right=True), record(1, acts=False, right=False)
    assert action_pairs([actor], [thinker]) == []
    assert action_pairs([thinker], [actor]) == []


def test_the_loss_is_the_published_one() -> None:
    chosen, rejected = torch.tensor([-1.0, -2.0]), torch.tensor([-1.5, -1.0])
    loss, contrast, auxiliary = contrastive_loss(chosen, rejected, alpha=0.2)
    expected = sum(-math.log(1 / (1 + math.exp(-d))) for d in (0.5, -1.0)) / 2
    assert contrast.item() == pytest.approx(expected)
    assert auxiliary.item() == pytest.approx(1.5)
    assert loss.item() == pytest.approx(expected + 0.2 * 1.5)


def test_the_shared_prefix_has_no_loss_and_means_are_over_the_continuation() -> None:
    prefix, chosen = [5, 6, 7, 8], [9, 10]
    net = model()
    learner = Contrastive(net, [ActionPair(prefix, chosen, [11], True)])
    from react_envs.agents.learners.contrastive import _rows

    batch = _rows([(prefix, chosen), (prefix, [11])])
    assert (batch.labels != -100).sum(-1).tolist() == [2, 1]
    logits = net(input_ids=torch.tensor([prefix + chosen])).logits.log_softmax(-1)[0]
    expected = (logits[3, 9] + logits[4, 10]) / 2
    torch.testing.assert_close(learner._means(batch)[0], expected)


def pairs_to_learn() -> list[ActionPair]:
    made = []
    for sample in lessons()[:8]:
        first = sample.turns[0]
        ids: list[int] = sample.ids.tolist()
        made.append(ActionPair(ids[: first.start], ids[first.start : first.end], ids[-8:-2], True))
    return made


def test_the_chosen_rises_above_the_rejected_and_does_not_fall_with_it() -> None:
    learner = Contrastive(
        model(width=32), pairs_to_learn(), steps=40, batch_size=8, warmup=4, lr=5e-3
    )
    rows = [learner.update(step) for step in range(40)]
    assert rows[-1]["contrast"] < rows[0]["contrast"]
    assert rows[-1]["nll_chosen"] < rows[0]["nll_chosen"]
    assert rows[-1]["accuracy"] == 1.0


def test_no_pairs_is_said() -> None:
    empty: Any = []
    with pytest.raises(ArgumentError, match="pairs"):
        Contrastive(model(), empty)

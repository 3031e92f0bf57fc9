"""Tokenizer and model made on the spot."""

from __future__ import annotations

import gymnasium as gym
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toys import model, problems, tokenizer

from react_envs.agents.learners import scaffolds, small_model, small_tokenizer
from react_envs.agents.learners.small import save_model
from react_envs.agents.policies.hf import HFPolicy
from react_envs.dialects import DIALECTS
from react_envs.types import Context


@given(st.text(max_size=80))
@settings(max_examples=150, deadline=None)
def test_any_text_comes_back(text: str) -> None:
    text = text.encode("utf-8", "ignore").decode()
    ids = tokenizer().encode(text)
    assert tokenizer().decode(ids) == text


def test_digits_stand_alone_and_phrases_are_single_tokens() -> None:
    pieces = tokenizer().tokenize("Action: python\nAction Input: print(128)\n")
    assert pieces[0] == "Action: python\nAction Input:"
    assert [piece for piece in pieces if piece.isdigit()] == ["1", "2", "8"]


def test_frequent_names_are_single_tokens() -> None:
    made = small_tokenizer(["mentor Glannibith. father Kainaisse."] * 50, (), 400)
    assert made.tokenize("x Glannibith Kainaisse")[-2:] == ["ĠGlannibith", "ĠKainaisse"]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_phrases_are_what_the_dialect_writes(dialect: str) -> None:
    env = gym.make("ReactGSM8K-v0", dialect=dialect)
    phrases = scaffolds(env)
    assert phrases
    assert all("Zq" not in phrase and phrase == phrase.rstrip(" ") for phrase in phrases)
    env.reset(options={"index": 0})
    here = env.unwrapped
    said = here.dialect.format_answer("5", "I know.", "")  # type: ignore[attr-defined]
    assert any(phrase in said for phrase in phrases)


def test_a_model_depends_on_its_seed_alone() -> None:
    first, same, other = (
        small_model(tokenizer(), 16, heads=2, seed=seed).lm_head.weight for seed in (1, 1, 2)
    )
    assert first.equal(same)
    assert not first.equal(other)


def test_a_saved_model_is_a_checkpoint_that_policies_read(tmp_path) -> None:
    save_model(model(), tokenizer(), tmp_path / "model")
    policy = HFPolicy(str(tmp_path / "model"), mode="completion", max_new_tokens=4)
    prompt, info = problems().reset(options={"index": 0})
    assert policy(Context(prompt, (), ("\n",), info)).token_ids

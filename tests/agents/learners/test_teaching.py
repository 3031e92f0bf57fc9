"""Lessons, mixes, evaluation and answers that are forced."""

from __future__ import annotations

import math
from typing import Any

import gymnasium as gym
import pytest
from toys import lessons, model, problems, tokenizer

from react_envs.agents.learners import (
    Evaluator,
    ForcedAnswer,
    Teacher,
    mix,
    simulator_fidelity,
    summary_of,
    teach,
)
from react_envs.agents.policies import make_policy
from react_envs.agents.policies.hf import HFPolicy
from react_envs.errors import ArgumentError
from react_envs.rollout import play, play_together
from react_envs.simulators import NoisySimulator
from react_envs.tokenization import as_codec
from react_envs.trace import Owner
from react_envs.wrappers import TokenProvenance


def test_a_lesson_s_turns_end_with_the_end_of_text_that_the_agent_is_to_write() -> None:
    for sample in lessons():
        for row in sample.turns:
            assert sample.ids[row.end - 1] == tokenizer().eos_token_id
            assert sample.source[row.end - 1] == int(Owner.AGENT)


def test_a_teacher_reads_what_its_student_would_have_read() -> None:
    env = TokenProvenance(problems(), tokenizer())
    teacher = Teacher(make_policy("oracle", env), as_codec(tokenizer()), tokenizer().eos_token_id)
    record = play(env, teacher, 0)
    assert record.tokens is not None
    assert env.counts["forks"] == 0
    (sample,) = record.tokens.to_samples()
    assert record.tokens.exact
    assert len(sample.turns) == 2


def test_wrong_trajectories_are_no_lessons() -> None:
    env = problems()
    oracle = make_policy("oracle", env)

    def sometimes(context: Any) -> str:
        wrong = context.info["index"] % 2
        return "Final Answer: -1\n" if wrong else str(oracle(context))

    data = teach(env, sometimes, tokenizer(), range(6))
    assert [record.index for record in data.records] == [0, 2, 4]
    assert data.played == 6
    with pytest.raises(ArgumentError, match="none of 2"):
        teach(env, lambda context: "Final Answer: -1\n", tokenizer(), range(2))


def test_a_mix_keeps_its_ratio_and_its_seed() -> None:
    acts, thinks = [f"a{i}" for i in range(23)], [f"t{i}" for i in range(10)]
    mixed = mix((acts, 5), (thinks, 1), seed=3)
    assert sum(x[0] == "a" for x in mixed) == 23
    assert sum(x[0] == "t" for x in mixed) == 4
    assert mixed == mix((acts, 5), (thinks, 1), seed=3) != mix((acts, 5), (thinks, 1), seed=4)
    with pytest.raises(ArgumentError):
        mix((acts, 5), ([], 1))


def test_episodes_played_together_are_those_played_alone() -> None:
    policy = HFPolicy(model(), tokenizer(), mode="completion", max_new_tokens=8, temperature=1.0)
    indices, seeds = [3, 3, 4, 9], [1, 2, 1, 0]
    together = play_together([problems() for _ in indices], policy, indices, seeds)
    for record, index, seed in zip(together, indices, seeds, strict=True):
        alone = play(problems(), policy, index, seed)
        assert [turn.kept for turn in record.turns] == [turn.kept for turn in alone.turns]
        assert (record.index, record.seed, record.reward) == (index, alone.seed, alone.reward)


def test_a_full_context_ends_its_own_episode_alone() -> None:
    net = model()
    net.config.max_position_embeddings = 60
    policy = HFPolicy(net, tokenizer(), mode="completion", max_new_tokens=8)

    class Long(gym.Wrapper[str, str, str, str]):
        def reset(self, **options: Any) -> Any:
            prompt, info = self.env.reset(**options)
            return prompt + "word " * 80, info

    envs: list[Any] = [problems(), Long(problems()), problems()]
    records = play_together(envs, policy, [0, 0, 1], [0, 0, 0])
    assert records[1].stop_reason == "context_length"
    assert records[1].reward == 0.0
    assert all(record.turns for record in (records[0], records[2]))


def test_play_together_wants_as_many_of_all() -> None:
    policy = HFPolicy(model(), tokenizer(), mode="completion")
    with pytest.raises(ArgumentError):
        play_together([problems()], policy, [0, 1], [0])


def test_an_evaluator_measures_the_same_tasks_each_time() -> None:
    evaluate = Evaluator(model(), tokenizer(), problems, range(5), max_new_tokens=8)
    assert evaluate() == evaluate()
    assert [record.index for record in evaluate.records] == list(range(5))
    evaluate.close()


def test_a_mean_of_no_episode_is_no_number() -> None:
    assert math.isnan(summary_of([])["em"])
    assert summary_of([])["failures"] == 0.0


def test_a_forced_answer_takes_the_trigger_away() -> None:
    env = TokenProvenance(problems(max_steps=1), tokenizer())
    here: Any = env.unwrapped
    inner = HFPolicy(model(), tokenizer(), mode="completion", max_new_tokens=6)
    policy = ForcedAnswer(inner, here.dialect, as_codec(tokenizer()))
    (record,) = play_together([env], policy, [0], [0])
    assert record.turns[0].kept.startswith("Final Answer:")
    assert record.calls == 0
    assert record.tokens is not None
    (sample,) = record.tokens.to_samples()
    first = sample.turns[0].start
    assert tokenizer().decode(sample.ids[first : first + 1]) == "Final Answer:"


@pytest.mark.parametrize("env_id", ["ReactGSM8K-v0", "ReactWiki-v0", "ReactSimulated-v0"])
def test_the_fidelity_of_a_tool_to_itself_is_whole_and_of_a_liar_is_not(env_id: str) -> None:
    """Pages are read on from where they were left, so the tool is asked as it was then."""

    def make(simulate: Any) -> gym.Env[str, str]:
        return gym.make(env_id, simulate=simulate)

    truth = simulator_fidelity(NoisySimulator(noise=0.0), make, range(4))
    lies = simulator_fidelity(NoisySimulator(noise=1.0), make, range(4))
    assert (truth.exact, truth.fact_f1) == (1.0, 1.0)
    assert truth.calls > 4
    assert lies.exact < 0.3


def test_the_thinker_answers_by_heart() -> None:
    env = problems()
    record = play(env, make_policy("thinker", env), 0)
    assert (record.calls, record.reward, len(record.turns)) == (0, 1.0, 1)
    assert "=" in record.turns[0].kept
    wiki = gym.make("ReactWiki-v0", world={"style": "terse"})
    record = play(wiki, make_policy("thinker", wiki), 0)
    assert (record.calls, record.reward) == (0, 1.0)


@pytest.mark.parametrize("thoughts", ["plain", "evidence", "none"])
@pytest.mark.parametrize("env_id", ["ReactGSM8K-v0", "ReactWiki-v0"])
def test_an_oracle_is_right_whatever_it_thinks(env_id: str, thoughts: str) -> None:
    env = gym.make(env_id)
    oracle = make_policy("oracle", env, thoughts=thoughts)
    records = [play(env, oracle, index) for index in range(5)]
    assert [record.reward for record in records] == [1.0] * 5
    thought = any("Thought:" in turn.kept for record in records for turn in record.turns)
    assert thought == (thoughts != "none")
    with pytest.raises(ArgumentError, match="thoughts"):
        make_policy("oracle", env, thoughts="loud")

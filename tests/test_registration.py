"""One conformance test over every registered id, and what gym.make can set."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env

from react_envs.agents.policies import OraclePolicy
from react_envs.core import ReactEnv
from react_envs.dialects import DIALECTS
from react_envs.errors import ArgumentError, DataNotFoundError
from react_envs.registration import ENTRY_POINTS, IDS
from react_envs.rollout import play
from react_envs.validation import validate

every_id = pytest.mark.parametrize("env_id", IDS)
PRINT = {
    "react": "Thought: t\nAction: python\nAction Input: print(6 * 7)\n",
    "hermes": '<tool_call>{"name": "python", "arguments": {"code": "print(6 * 7)"}}</tool_call>',
}


# what is at hand in shared/data of sets whose default split is not
SPLITS_AT_HAND = {"React2Wiki-v0": "dev_500", "ReactMuSiQue-v0": "dev_500"}
NOT_AT_HAND = ("ReactNQ-v0", "ReactTriviaQA-v0", "ReactPopQA-v0")


def make(env_id: str, request: pytest.FixtureRequest, **kwargs: Any) -> gym.Env[str, str]:
    if env_id in NOT_AT_HAND:
        kwargs.setdefault("data", str(request.getfixturevalue("questions")))
    elif IDS[env_id]["split"] != "synthetic":
        request.getfixturevalue("data")
    if env_id in SPLITS_AT_HAND:
        kwargs.setdefault("split", SPLITS_AT_HAND[env_id])
    if ENTRY_POINTS[env_id].endswith("make_wiki_env"):
        kwargs.setdefault("tools", ["python"])  # beside those that read
    return gym.make(env_id, **kwargs)


@pytest.fixture(scope="session")
def questions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file in FlashRAG's format."""
    path = tmp_path_factory.mktemp("questions") / "test.jsonl"
    rows = ({"question": f"What is {i}?", "golden_answers": [f"it is {i}"]} for i in range(200))
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def episode(env: gym.Env[str, str], dialect: str, seed: int) -> list[Any]:
    """All that an episode of fixed actions returns, without what the clock says."""
    answer = env.get_wrapper_attr("dialect").format_answer("42", "done")
    returned: list[Any] = [env.reset(seed=seed)]
    for action in (PRINT[dialect], "nonsense", answer):
        *step, info = env.step(action)
        timed = ("cpu_s", "wall_s")
        info["tool_meta"] = {k: v for k, v in info["tool_meta"].items() if k not in timed}
        returned.append([*step, info])
    return returned


@every_id
@pytest.mark.parametrize("dialect", ["react", "hermes"])
def test_every_environment_keeps_the_contract(
    env_id: str, dialect: str, request: pytest.FixtureRequest
) -> None:
    env = make(env_id, request, dialect=dialect)
    other = make(env_id, request, dialect=dialect)
    played = episode(env, dialect, seed=11)
    assert played == episode(other, dialect, seed=11), "equal seeds, equal episodes"
    assert played != episode(other, dialect, seed=12)

    (prompt, info), (observation, reward, terminated, _, step_info), _, last = played
    assert env.observation_space.contains(prompt)
    assert "42" in observation
    assert (reward, terminated) == (0.0, False)
    assert step_info["tool_result"] == "42"
    assert last[2] is True
    assert set(last[4]["reward_terms"]) == {"exact_match", "f1", "format", "tool_use"}
    assert last[4]["episode"]["l"] == 3
    gold = last[4]["gold"]
    assert gold
    assert info["split"] in ("test", "train", "dev", "dev_500")
    for early in (info, step_info):
        assert not {"gold", "solution", "answers"} & set(early), "gold answers leak into info"
    env.close()
    other.close()


@every_id
def test_gymnasiums_check_passes(env_id: str, request: pytest.FixtureRequest) -> None:
    env = make(env_id, request, render_mode="ansi")
    check_env(env.unwrapped)
    env.close()


@every_id
def test_the_spec_survives_json_and_makes_the_same_environment(
    env_id: str, request: pytest.FixtureRequest
) -> None:
    env = make(
        env_id, request, dialect={"name": "react", "on_conflict": "error"}, max_steps=3,
        reward={"exact_match": 1.0, "format": 0.5}, tools=["python", "finish"], on_limit="answer",
    )  # fmt: skip
    assert env.spec is not None
    again = gym.make(EnvSpec.from_json(env.spec.to_json()))
    assert episode(env, "react", 1) == episode(again, "react", 1)
    assert again.get_wrapper_attr("max_steps") == 3
    assert again.get_wrapper_attr("dialect").on_conflict == "error"
    env.close()
    again.close()


@every_id
def test_pickling_keeps_the_environment(env_id: str, request: pytest.FixtureRequest) -> None:
    env = make(env_id, request)
    copied = pickle.loads(pickle.dumps(env))
    assert episode(env, "react", 2) == episode(copied, "react", 2)
    env.close()
    copied.close()


def test_what_gym_make_sets_reaches_every_part() -> None:
    def shout(text: str) -> str:
        """Say it loudly."""
        return text.upper()

    env = gym.make("ReactGSM8K-v0", tools=["python", shout], max_steps=2, split="synthetic_test")
    _, info = env.reset(seed=0)
    assert [tool["function"]["name"] for tool in info["tools"]] == ["python", "shout"]
    assert (info["max_steps"], info["split"]) == (2, "test")
    assert env.step("Action: shout\nAction Input: hey\n")[0] == "Observation: HEY\n"
    assert env.step("Action: shout\nAction Input: hey\n")[3] is True
    env.close()


def test_difficulty_and_data_seed_choose_the_synthetic_problems() -> None:
    easy = gym.make("ReactGSM8K-v0", difficulty=1)
    hard = gym.make("ReactGSM8K-v0", difficulty=5)
    other = gym.make("ReactGSM8K-v0", difficulty=1, data_seed=1)
    (one, _), (five, _), (else_, _) = (e.reset(options={"index": 3}) for e in (easy, hard, other))
    assert len({one, five, else_}) == 3
    task = hard.unwrapped.task  # type: ignore[attr-defined]
    assert task.metadata["steps"] == 5


@pytest.mark.parametrize(
    ("kwargs", "told"),
    [
        ({"split": "synthetic_dev"}, "no split 'synthetic_dev'; it has: synthetic, .*train, test"),
        ({"dialect": "xml"}, "unknown dialect 'xml'"),
        ({"tools": "python"}, "write \\['python'\\]"),
        ({"reward": "best"}, "unknown reward 'best'"),
        ({"max_steps": 0}, "at least 1"),
        ({"split": "test", "difficulty": 2}, "choose synthetic problems"),
        ({"data": "x.jsonl"}, "is generated"),
        ({"render_mode": "human"}, "render_mode"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else "",
)
def test_wrong_arguments_raise_at_once_and_say_what_was_expected(
    kwargs: dict[str, Any], told: str
) -> None:
    with pytest.raises(ArgumentError, match=told):
        gym.make("ReactGSM8K-v0", **kwargs)


def test_a_published_split_that_is_nowhere_is_one_clear_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("REACT_ENVS_DATA", str(tmp_path))
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    with pytest.raises(DataNotFoundError, match="REACT_ENVS_DATA") as raised:
        gym.make("ReactGSM8K-v0", split="test")
    assert "openai/gsm8k" in str(raised.value)
    assert "data=PATH" in str(raised.value)


@pytest.mark.parametrize(
    "program",
    [
        "import gymnasium as gym, react_envs; env = gym.make('ReactGSM8K-v0')",
        "import gymnasium as gym; env = gym.make('react_envs:ReactGSM8K-v0')",
    ],
    ids=["imported", "by-module"],
)
def test_both_ways_to_make_an_environment_work_in_a_fresh_process(program: str) -> None:
    root = Path(__file__).parents[1]
    check = "; assert isinstance(env.unwrapped.action_space.sample(), str); env.close()"
    subprocess.run([sys.executable, "-W", "error", "-c", program + check], check=True, cwd=root)


@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize("answers_at", [0, 2], ids=["answer-first", "answer-last"])
def test_environments_run_in_gymnasiums_vectors_whatever_each_does(
    mode: Any, answers_at: int
) -> None:
    """Gymnasium merges the infos of a step, where a call stands beside an answer."""
    options: dict[str, Any] = {"vector_kwargs": {"shared_memory": False}} if mode == "async" else {}
    envs = gym.make_vec("ReactGSM8K-v0", num_envs=3, vectorization_mode=mode, **options)
    prompts, _ = envs.reset(seed=0)
    assert len(set(prompts)) == 3
    actions = [PRINT["react"], "nonsense", PRINT["react"]]
    actions[answers_at] = "Final Answer: 1"
    observations, _, terminated, _, infos = envs.step(tuple(actions))
    assert "42" in observations[2 - answers_at]
    assert "42" not in observations[1]
    assert list(terminated) == [i == answers_at for i in range(3)]
    assert infos["tool_call"][2 - answers_at].name == "python"
    envs.close()


def test_a_react_env_is_a_gymnasium_env() -> None:
    env = gym.make("ReactGSM8K-v0")
    assert isinstance(env.unwrapped, ReactEnv)
    assert isinstance(env, gym.Env)


def test_gold_answers_are_in_nothing_that_is_said_before_the_end(tmp_path: Path) -> None:
    """With answers that no question holds by chance, none of them is anywhere in obs or info."""
    path = tmp_path / "gsm8k.jsonl"
    path.write_text('{"question": "q?", "answer": "because <<7*1=7>>7\\n#### 918273645"}')
    env = gym.make("ReactGSM8K-v0", split="test", data=str(path))
    said = [str(env.reset(seed=0)), str(env.step(PRINT["react"])), str(env.step("nonsense"))]
    assert not any("918273645" in text or "because" in text for text in said)
    assert env.step("Final Answer: 1")[4]["gold"] == ["918273645"]
    env.close()


@pytest.mark.parametrize(
    ("dialect", "turns", "on_limit"),
    [("react", 10, "truncate"), ("react_paper", 7, "finish"), ("search_r1", 5, "answer"),
     ("zerosearch", 5, "truncate"), ("autocoa", 12, "refuse"), ("research", 10, "truncate")],
)  # fmt: skip
def test_a_dialect_brings_its_published_limits(dialect: str, turns: int, on_limit: str) -> None:
    env = gym.make("ReactGSM8K-v0", dialect=dialect)
    assert env.reset(seed=0)[1]["max_steps"] == turns
    assert env.get_wrapper_attr("on_limit") == on_limit
    own = gym.make("ReactGSM8K-v0", dialect=dialect, max_steps=3)
    assert own.reset(seed=0)[1]["max_steps"] == 3
    assert own.get_wrapper_attr("on_limit") == on_limit
    one = gym.make("ReactGSM8K-v0", dialect=dialect, max_steps=1)
    wants_a_turn = on_limit in ("answer", "refuse")
    assert one.get_wrapper_attr("on_limit") == ("truncate" if wants_a_turn else on_limit)
    other = gym.make("ReactGSM8K-v0", dialect=dialect, on_limit="answer")
    assert other.get_wrapper_attr("on_limit") == "answer"
    for made in (env, own, one, other):
        made.close()


@pytest.mark.parametrize("dialect", list(DIALECTS))
def test_the_oracle_plays_every_dialect(dialect: str) -> None:
    env = gym.make("ReactGSM8K-v0", dialect=dialect, difficulty=2)
    policy = OraclePolicy(env.get_wrapper_attr("tasks"), env.get_wrapper_attr("dialect"))
    for index in range(3):
        record = play(env, policy, index)
        assert record.reward == 1.0, record
        assert record.calls == 2
        assert record.reward_terms["format"] == 1.0
    assert list(validate(env, [0])) == [None]
    env.close()


def test_a_reward_with_options_keeps_a_spec_that_is_json() -> None:
    reward = {"name": "search_r1_format", "structure": 0.3}
    env = gym.make("ReactGSM8K-v0", dialect={"name": "search_r1", "published": True}, reward=reward)
    assert env.spec is not None
    again = gym.make(EnvSpec.from_json(env.spec.to_json()))
    again.reset(seed=0)
    *_, reward_of_step, _, _, _ = again.step("<think>t</think><answer>-1</answer>")
    assert reward_of_step == 0.3
    assert again.get_wrapper_attr("note") == ""
    again.close()
    env.close()

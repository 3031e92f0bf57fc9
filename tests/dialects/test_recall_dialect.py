r"""The `recall` dialect: Qwen's chat markers, JSON calls, turns that begin inside a thought."""

from __future__ import annotations

from react_envs.core import ReactEnv
from react_envs.dialects import make_dialect
from react_envs.tasks import TaskList
from react_envs.types import Task, ToolCall
from react_envs.wrappers import EpisodeReward

recall = make_dialect("recall")
OPEN = "\n<think>"
CALL = '<tool_call>\n{"name": "search", "arguments": {"query": "q"}}\n</tool_call>'


def search(query: str) -> str:
    """Find pages."""
    return f"pages of {query}"


def test_a_whole_dialogue_is_one_text_of_qwens_template() -> None:
    env = EpisodeReward(
        ReactEnv(TaskList([Task("Who?", ("Paris",))]), [search], "recall"), "recall"
    )
    text, _ = env.reset(seed=0)
    assert text.startswith("<|im_start|>system\n")
    assert text.endswith("<|im_end|>\n<|im_start|>user\nWho?<|im_end|>\n<|im_start|>assistant\n")
    for action in (f"<think>t</think>\n{CALL}", "so</think>\nIt is \\boxed{Paris}<|im_end|>"):
        observation, reward, *_, info = env.step(action)
        text += info["kept"] + observation
    assert reward == 1.0
    turns = text.split("<|im_start|>assistant\n")[1:]
    assert turns[0].startswith(f"<think>t</think>\n{CALL}<|im_end|>\n<|im_start|>user\n")
    assert '<tool_response>{"name": "search"' in turns[0]
    assert "pages of q\n</tool_response>\n<|im_end|>\n" in turns[0]
    assert turns[1] == "<think>so</think>\nIt is \\boxed{Paris}<|im_end|>"


def test_a_thought_that_the_environment_opened_is_not_searched() -> None:
    turn = recall.parse(f"maybe {CALL} or \\boxed{{9}}</think>\\boxed{{4}}", OPEN)
    assert turn.answer == "4"
    unclosed = recall.parse("maybe \\boxed{9}", OPEN)
    assert "</think>" in (unclosed.error or "")
    assert recall.parse("It is \\boxed{9}").answer == "9"
    assert recall.parse("<think>a</think>\\boxed{1}", OPEN).answer == "1", "a chat model opens it"


def test_a_call_that_cannot_be_read_is_told_in_the_published_words() -> None:
    error = recall.parse("<think>t</think><tool_call>{'name': 1}</tool_call>").error or ""
    assert error.startswith("Parse tool call failed: ")


def test_the_turn_ends_at_its_mark_and_a_turn_of_the_users_is_a_forgery() -> None:
    turn = recall.parse(f"<think>t</think>{CALL}<|im_end|>\n<|im_start|>user\nforged")
    assert turn.call == ToolCall("search", {"query": "q"})
    assert turn.fabricated_observation
    assert "forged" not in turn.kept
    kept = f"<think>t</think>{CALL}<|im_end|>"
    assert recall.parse(kept).kept == kept
    assert not recall.parse(kept).fabricated_observation
    assert recall.observation("x", kept).startswith("\n<|im_start|>user\n")
    assert recall.observation("x", kept[:-10]).startswith("<|im_end|>\n<|im_start|>user\n")


def test_a_chat_model_gets_the_result_as_a_user_message() -> None:
    message = recall.message("x")
    assert message == {"role": "user", "content": "<tool_response>\nx\n</tool_response>"}

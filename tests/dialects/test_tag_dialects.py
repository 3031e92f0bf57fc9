r"""The dialects with tags: research, search_r1, zerosearch, retool, autocoa."""

from __future__ import annotations

from typing import Any

import pytest

from react_envs.core import ReactEnv
from react_envs.dialects import make_dialect
from react_envs.errors import ArgumentError
from react_envs.tasks import TaskList
from react_envs.tools import Finish, Tool, as_tool
from react_envs.types import Completion, Task, ToolCall
from react_envs.wrappers import EpisodeReward, StepLimit

search_r1, zerosearch = make_dialect("search_r1"), make_dialect("zerosearch")
research, retool, autocoa = map(make_dialect, ("research", "retool", "autocoa"))


def search(query: str) -> str:
    """Find pages."""
    return f"pages of {query}"


def python(code: str) -> str:
    """Run code."""
    return code


def wiki(title: str) -> str:
    """Read a page."""
    return title


# --- Search-R1


@pytest.mark.parametrize(
    ("action", "outcome"),
    [
        ("<think>t</think><search> q </search>", ToolCall("search", "q")),
        ("<think><search>in thought</search>", ToolCall("search", "in thought")),
        ("<search>a <search> b</search>", ToolCall("search", "a <search> b")),
        ("<search>q</search><answer>x</answer>", ToolCall("search", "q")),
        ("<answer> x </answer><search>q</search>", "x"),
        ("<answer>x</answer> <answer>y</answer>", "x"),
        ("<search>two\nlines</search>", ToolCall("search", "two\nlines")),
        ("<search>q", ToolCall("search", "q")),
        ("<answer>x", "x"),
    ],
)
def test_search_r1_takes_the_first_call_or_answer(action: str, outcome: Any) -> None:
    turn = search_r1.parse(action)
    assert (turn.call or turn.answer) == outcome


@pytest.mark.parametrize(
    "action", ["", "hm", "</search>", "<search> </search>", "<answer></answer>", "</answer>x", "q>"]
)
def test_search_r1_tells_what_is_invalid_in_the_published_words(action: str) -> None:
    turn = search_r1.parse(action)
    assert turn.error == (
        "My previous action is invalid. If I want to search, I should put the query between "
        "<search> and </search>. If I want to give the final answer, I should put the answer "
        "between <answer> and </answer>. Let me try again."
    )
    told = search_r1.observation(turn.error, turn.kept, error=True)
    assert told == f"\n{turn.error}\n"


def test_search_r1_keeps_what_stands_after_an_answer_only_if_asked() -> None:
    two = "<answer>a</answer> <answer>b</answer> so"
    cut = search_r1.parse(two)
    assert (cut.kept, cut.answer) == ("<answer>a</answer>", "a")
    kept = make_dialect({"name": "search_r1", "after_answer": "keep"}).parse(two)
    assert (kept.kept, kept.answer) == (two, "b")


def test_an_unclosed_tag_is_taken_unless_the_engine_ran_out_of_length() -> None:
    for action in ("<search>q", "<answer>x"):
        assert search_r1.parse(Completion(action, finish_reason="stop")).error is None
        assert search_r1.parse(Completion(action, finish_reason="length")).error is not None
    told = search_r1.observation("d", "<think>t</think><search>q")
    assert told == "</search>\n\n<information>d</information>\n\n"


def test_a_question_gets_its_mark() -> None:
    assert search_r1.prompt("I.", "Who ").endswith("Question: Who?\n")
    assert search_r1.prompt("I.", "Who?").endswith("Question: Who?\n")
    assert search_r1.prompt("I.", "Name it.").endswith("Question: Name it.?\n")


def make(dialect: Any, turns: int | None = None) -> Any:
    env = ReactEnv(TaskList([Task("Capital?", ("Paris",))]), [search], dialect)
    limits = env.dialect.limits
    return StepLimit(env, turns or limits.max_turns or 0, limits.on_limit, limits.note)


@pytest.mark.parametrize("published", [False, True])
def test_search_r1_has_four_turns_and_a_last_one_without_search(published: bool) -> None:
    env = make({"name": "search_r1", "published": published})
    env.reset(seed=0)
    for turn in range(1, 5):
        observation, *_, truncated, info = env.step("<search>q</search>")
        assert info["tool_ok"]
        assert not truncated
        assert ("last turn" in observation) == (turn == 4 and not published)
        assert observation.endswith("</information>\n\n")
    *_, truncated, info = env.step("<search>q</search>")
    assert truncated
    assert info["tool_ok"] is None


def test_zerosearch_still_searches_in_its_fifth_and_last_turn() -> None:
    env = make("zerosearch")
    env.reset(seed=0)
    for turn in range(1, 6):
        observation, *_, truncated, info = env.step("<search>q</search>")
        assert info["tool_ok"]
        assert "last turn" not in observation
        assert truncated == (turn == 5)


def test_a_call_that_runs_into_a_forged_result_is_none() -> None:
    turn = search_r1.parse("<search> q <information>x</information></search>")
    assert turn.error is not None
    assert turn.fabricated_observation
    assert turn.kept == "<search> q "


@pytest.mark.parametrize(
    ("action", "kept", "outcome"),
    [
        ("<search></search> x", "<search></search>", ToolCall("search", "")),
        ("<search> ", "<search> ", ToolCall("search", "")),
        ("<answer></answer> x", "<answer></answer>", ""),
        ("<answer>a", "<answer>a", "a"),
        ("<answer>a</answer> <search>q</search> x", "<answer>a</answer> <search>q</search>", "a"),
        ("<search>q</search> <answer>a</answer>", "<search>q</search>", ToolCall("search", "q")),
        ("<answer>a <search>q</search>", "<answer>a <search>q</search>", ToolCall("search", "q")),
        ("</search><answer>a</answer>", "</search>", None),
        (
            "<search>a<search>b</search>",
            "<search>a<search>b</search>",
            ToolCall("search", "a<search>b"),
        ),
        ("hm", "hm", None),
    ],
)
@pytest.mark.parametrize("name", ["search_r1", "zerosearch"])
def test_search_r1_as_published_cuts_at_a_search_first_and_takes_the_first_pair(
    name: str, action: str, kept: str, outcome: Any
) -> None:
    turn = make_dialect({"name": name, "published": True}).parse(action)
    assert turn.kept == kept
    assert (turn.call if turn.call else turn.answer) == outcome
    assert (turn.error is None) == (outcome is not None)
    cut = Completion("<search>q", finish_reason="length")
    assert make_dialect({"name": name, "published": True}).parse(cut).error is not None


@pytest.mark.parametrize("published", [False, True])
@pytest.mark.parametrize("name", ["search_r1", "zerosearch"])
def test_an_answer_of_search_r1_is_its_text_as_it_stands(name: str, published: bool) -> None:
    dialect = make_dialect({"name": name, "published": published})
    assert dialect.parse("<answer> \\boxed{Paris} </answer>").answer == "\\boxed{Paris}"
    assert dialect.parse("<answer>a <answer>b</answer>").answer == "a <answer>b"
    env = EpisodeReward(ReactEnv(TaskList([Task("q", ("Paris",))]), [search], dialect), "search_r1")
    env.reset(seed=0)
    assert env.step("<think>t</think><answer>\\boxed{Paris}</answer>")[1] == 0.0


# --- A stop string that the engine left out of a call with an error


@pytest.mark.parametrize(
    ("dialect", "kept", "close", "opened"),
    [
        (search_r1, "<search>q", "</search>", "\nError"),
        (research, "<search> ", "</search>", " <result>\nError"),
        (retool, "<code>\n```python\n```\n", "</code>", "\n<interpreter>\nError"),
        (autocoa, "Who? <begin_search>a", "</end_search>", "\n\n<search_result> Error"),
    ],
)
def test_an_error_closes_a_call_that_was_left_open(
    dialect: Any, kept: str, close: str, opened: str
) -> None:
    told = dialect.observation("Error", kept, error=True)
    assert told.startswith(close + opened)
    assert dialect.observation("Error", kept + close, error=True) == told.removeprefix(close)


def test_the_refusal_of_a_call_that_was_left_open_closes_it() -> None:
    env = make("autocoa")
    env.reset(seed=0)
    for _ in range(11):
        observation, *_ = env.step("<begin_search>a")
        assert observation.startswith("</end_search>\n\n<search_result> ")


# --- ReSearch


def test_research_stops_at_the_end_of_a_search_only() -> None:
    turn = research.parse("<answer> \\boxed{a} </answer> hm <search> q </search> more")
    assert turn.call == ToolCall("search", "q")
    assert turn.dropped == " more"
    assert research.parse("<search> a <search> b </search>").call == ToolCall("search", "b")


@pytest.mark.parametrize(
    ("action", "answer"),
    [
        ("<answer> The final answer is \\[ \\boxed{a} \\] </answer>", "a"),
        ("<answer> a </answer>", "a"),
        ("<answer>\\boxed{a}</answer> <answer>\\boxed{b}</answer>.", "b"),
    ],
)
def test_answers_of_research(action: str, answer: str) -> None:
    turn = research.parse(action)
    assert turn.answer == answer
    assert turn.dropped == ""


def test_research_answers_an_empty_query_in_the_tag_of_a_result() -> None:
    published = make_dialect({"name": "research", "published": True})
    turn = published.parse("<search> </search>")
    told = published.observation(turn.error or "", turn.kept, error=True)
    assert told == " <result>\ninvalid query\n</result>"
    assert "invalid query" not in (research.parse("<search> </search>").error or "")
    assert published.parse("<search> ").error == "invalid query"
    assert published.parse("hm").error == research.parse("hm").error
    cut = Completion("<search> ", finish_reason="length")
    assert published.parse(cut).error != "invalid query"


def test_research_is_one_text_from_user_to_answer() -> None:
    assert research.prompt("I.", "Who?").endswith("User: Who? Assistant:")
    assert research.observation("a\n\nb", "<search>q</search>") == " <result>\na\n\nb\n</result>"


# --- ReTool


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("\n```python\nprint(1)\n```\n", "print(1)"),
        ("print(1)", "print(1)"),
        ("\n```python\n  x = 1\n  print(x)\n```", "  x = 1\n  print(x)"),
        ("\nfirst:\n```python\n1\n```\nthen\n```python\nprint(2)\n```\n", "print(2)"),
        ("\n```python\nprint('`')\n```\n", "print('`')"),
    ],
)
def test_the_program_of_a_code_tag(body: str, code: str) -> None:
    assert retool.parse(f"t <code>{body}</code>").call == ToolCall("python", code)


def test_retool_takes_every_backtick_out_only_as_published() -> None:
    published = make_dialect({"name": "retool", "published": True})
    call = published.parse("<code>\n```python\nprint('`')\n```\n</code>").call
    assert call == ToolCall("python", "print('')")


@pytest.mark.parametrize(
    ("action", "answer"),
    [
        ("<answer>\n\\boxed{\\frac{1}{2}}\n</answer>", "\\frac{1}{2}"),
        ("so \\boxed{18}.", "18"),
        ("<answer>18</answer>", "18"),
    ],
)
def test_answers_of_retool(action: str, answer: str) -> None:
    assert retool.parse(action).answer == answer


@pytest.mark.parametrize("action", ["<code></code>", "<code>\n```python\n```\n</code>", "18", ""])
def test_retool_has_no_empty_program_and_no_answer_without_a_box(action: str) -> None:
    assert retool.parse(action).error is not None


def test_retool_closes_a_program_whose_end_the_engine_left_out() -> None:
    kept = "<code>\n```python\nprint(1)\n```\n"
    assert retool.parse(kept).call == ToolCall("python", "print(1)")
    told = retool.observation("1", kept)
    assert told == "</code>\n<interpreter>\n1</interpreter>\n\n"


def test_retool_as_published_answers_an_empty_program_and_takes_the_last_number() -> None:
    published = make_dialect({"name": "retool", "published": True})
    for empty in ("<code></code>", "<code>\n```python\n```\n</code>", "<code>\n"):
        told = published.observation(published.parse(empty).error or "", empty, error=True)
        assert told.endswith("\n<interpreter>\nNone</interpreter>\n\n")
    assert published.parse("so the answer is 18, not 17").answer == "17"
    assert published.parse("17 or \\boxed{18}").answer == "18"
    assert published.parse("no idea").error == retool.parse("no idea").error
    env = EpisodeReward(ReactEnv(TaskList([Task("q", ("18",))]), [python], published), "retool")
    env.reset(seed=0)
    assert env.step("so the answer is 18")[1] == 1.0


@pytest.mark.parametrize(("length", "shown"), [(400, 400), (401, 403), (403, 403), (9_000, 403)])
def test_retool_keeps_200_characters_of_either_end_of_more_than_400(
    length: int, shown: int
) -> None:
    told = retool.observation("x" * length, "<code>1</code>")
    assert len(told) == shown + len("\n<interpreter>\n</interpreter>\n\n")


# --- AutoCoA

SEARCH = "<begin_search> q </end_search>"


@pytest.mark.parametrize(
    ("action", "outcome"),
    [
        (f"Who? {SEARCH} and on", ToolCall("search", "q")),
        (f"<think>Who? {SEARCH}", ToolCall("search", "q")),
        ("t</think>\\boxed{a} or \\boxed{b}", "b"),
        ("t</think>The answer is Paris.", "The answer is Paris."),
        (f"t</think>\\boxed{{a}} {SEARCH}", "a"),
        ("Who? <begin_search> q", ToolCall("search", "q")),
    ],
)
def test_autocoa_searches_in_the_thought_and_answers_after_it(action: str, outcome: Any) -> None:
    turn = autocoa.parse(action, "<think>\n")
    assert (turn.call or turn.answer) == outcome


@pytest.mark.parametrize("action", ["hm", "\\boxed{a}", f"t</think> {SEARCH}", "t</think> ", ""])
def test_autocoa_tells_what_is_neither(action: str) -> None:
    assert "found no call inside the thought" in (autocoa.parse(action).error or "")


@pytest.mark.parametrize("published", [False, True])
def test_autocoa_refuses_the_eleventh_search_and_then_wants_an_answer(published: bool) -> None:
    env = make({"name": "autocoa", "published": published})
    prompt, _ = env.reset(seed=0)
    assert prompt.endswith("Capital?<｜Assistant｜><think>\n")
    for _ in range(10):
        observation, *_, info = env.step(SEARCH)
        assert observation == "\n\n<search_result> pages of q </search_result>\n\n\n\n"
    observation, *_, truncated, info = env.step(SEARCH)
    note = "Reach the limit of search times." if published else "The limit of calls is reached"
    assert observation.startswith(f"\n\n<search_result> {note}")
    assert observation.endswith(" </search_result>\n\n\n\n")
    assert observation.count(note) == 1
    assert info["tool_ok"] is None
    assert not truncated
    *_, terminated, truncated, info = env.step("enough</think>\\boxed{Paris}")
    assert (terminated, info["answer"]) == (True, "Paris")


def test_a_further_tool_of_autocoa_has_the_odd_tag_too() -> None:
    both = autocoa.for_tools([as_tool(search), as_tool(python)])
    call = both.parse("<begin_python> print(1) </end_python>").call
    assert call == ToolCall("python", "print(1)")
    assert both.stop == ("</end_search>", "</end_python>")


# --- Several tools


@pytest.mark.parametrize("dialect", [search_r1, research, zerosearch])
def test_the_tag_of_the_format_is_for_its_tool_or_for_the_first(dialect: Any) -> None:
    both = dialect.for_tools([as_tool(python), as_tool(search)])
    assert both.parse("<search>q</search>").call == ToolCall("search", "q")
    assert both.parse("<python>1</python>").call == ToolCall("python", "1")
    first = dialect.for_tools([Finish(), as_tool(wiki), as_tool(python)])
    assert first.parse("<search>q</search>").call == ToolCall("wiki", "q")
    assert first.parse("<python>1</python>").call == ToolCall("python", "1")
    assert first.parse("<finish>1</finish>").call == ToolCall("finish", "1")
    assert dialect.for_tools([]).parse("<search>q</search>").call is None


def test_search_r1_explains_every_tag_after_a_mistake() -> None:
    error = search_r1.for_tools([as_tool(search), as_tool(python)]).parse("hm").error or ""
    assert "If I want to search, I should put the query between <search> and </search>." in error
    assert "If I want to call python, I should put its input between <python> and" in error


@pytest.mark.parametrize("name", ["think", "answer", "information"])
def test_a_tool_with_the_name_of_a_tag_is_refused(name: str) -> None:
    class Odd(Tool):
        """Odd."""

        def __call__(self, x: str) -> str:
            """Say x."""
            return x

    odd = Odd()
    odd.name = name
    with pytest.raises(ArgumentError, match=f"uses <{name}> itself: give the tool '{name}' ano"):
        search_r1.for_tools([as_tool(search), odd])


def test_an_episode_of_calls_in_two_tags_has_a_valid_format() -> None:
    env = ReactEnv(TaskList([Task("?", ("Paris",))]), [search, python], "search_r1")
    rewarded = EpisodeReward(env, "search_r1_format")
    rewarded.reset(seed=0)
    rewarded.step("<think>t</think><search>q</search>")
    rewarded.step("<think>t</think><python>1</python>")
    _, reward, *_ = rewarded.step("<think>t</think><answer>Paris</answer>")
    assert reward == 1.0
    rewarded.reset(seed=0)
    rewarded.step("<think>t</think> hm <python>1</python>")
    _, reward, *_ = rewarded.step("<think>t</think><answer>Paris</answer>")
    assert reward == pytest.approx(0.8)

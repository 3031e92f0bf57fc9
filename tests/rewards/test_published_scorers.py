r"""The published scorers, fault by fault: what each gives where the others do not."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from react_envs.rewards.autocoa import autocoa_code_score, autocoa_strict_score
from react_envs.rewards.math import math_match
from react_envs.rewards.published import inside
from react_envs.rewards.recall import recall_score
from react_envs.rewards.research import published_box, research_score
from react_envs.rewards.retool import retool_answer, retool_score
from react_envs.rewards.search_r1 import (
    search_r1_em,
    search_r1_format_score,
    search_r1_subem,
    valid_sequence,
)
from react_envs.rewards.text import contains_match, f1_with_yes_no
from react_envs.rewards.zerosearch import zerosearch_score

CHAT = "<|im_start|>assistant\n"
PROMPT = f"such as <answer> Beijing </answer>. {CHAT}"


def boxed(answer: str) -> str:
    return f"Assistant:<think>t</think><answer>\\boxed{{{answer}}}</answer><|endoftext|>"


# --- ReSearch


def test_research_is_not_monotone_and_its_mended_form_is() -> None:
    one_in_41 = "Paris " + " ".join(f"w{i}" for i in range(40))
    assert research_score(boxed(one_in_41), ["Paris"]).value == pytest.approx(0.0476, abs=1e-4)
    assert research_score(boxed("London"), ["Paris"]).value == 0.1
    better = research_score(boxed(one_in_41), ["Paris"], monotone=True).value
    worse = research_score(boxed("London"), ["Paris"], monotone=True).value
    assert 0.1 == worse < better < research_score(boxed("Paris"), ["Paris"], monotone=True).value


@pytest.mark.parametrize(
    ("response", "value", "reason"),
    [
        pytest.param("<think>", 0.0, "bad format: <think> </think> not paired", id="unpaired"),
        pytest.param("x", 0.0, "bad format: <think> or </think> not found", id="no-think"),
        pytest.param(
            "<think></think>", 0.0, "bad format: <answer> or </answer> not found", id="no-answer"
        ),
        pytest.param(
            "<think></think><search>q</search><answer>\\boxed{1}</answer>",
            0.0, "bad format: search/result tags are incomplete", id="no-result",
        ),
        pytest.param(
            "<think></think><search>q<result>d</result></search><answer>\\boxed{1}</answer>",
            0.0, "bad format: search/result tags are nested in the wrong order", id="nested",
        ),
        pytest.param(
            "<think></think></answer>\\boxed{1}<answer>",
            0.0, "bad format: <answer> must be before </answer>", id="answer-reversed",
        ),
        pytest.param(
            "<think></think><answer>1</answer>",
            0.0, "bad format: answer is missing \\boxed{} format", id="no-box",
        ),
        pytest.param(
            "<think></think><answer>} \\boxed{1</answer>",
            0.0, "find box error: argument of type 'NoneType' is not iterable", id="open-box",
        ),
        pytest.param(
            "<think></think><search>q</search><result>d</result><answer>\\boxed{1}</answer>",
            1.0, "correct answer, get f1 score: 1.0", id="a-self-written-result-passes",
        ),
        pytest.param(
            "<think></think><answer>\\boxed{\\text{1}}</answer>",
            0.1, "wrong answer but good format: \\text{1}", id="text-in-the-box",
        ),
    ],
)  # fmt: skip
def test_reasons_of_research(response: str, value: float, reason: str) -> None:
    text = f"User: q. Assistant:{response}<|endoftext|>"
    assert research_score(text, ["1"]) == (value, reason)
    assert research_score(f"user: q\n{CHAT}{response}<|endoftext|>", ["1"]) == (value, reason)


def test_research_without_the_end_of_text_is_over_length() -> None:
    assert research_score(boxed("Paris")[:-1], ["Paris"]) == (0.0, "over length")
    assert research_score(boxed("Paris"), ["Paris"], eos="</answer>").reason == "over length"


@pytest.mark.parametrize(
    ("text", "box"),
    [
        (r"\boxed{1} \boxed{{2}}", "{2}"),
        (r"costs \boxed 5 eggs$, yes", "5 eggs"),
        (r"\boxed {3}", "{3}"),
    ],
)
def test_boxes_as_published(text: str, box: str) -> None:
    assert published_box(text) == box


@pytest.mark.parametrize("text", [r"\fbox{1}", r"\boxedx{1}", "1", r"\boxed{1"])
def test_boxes_that_the_published_code_dies_of(text: str) -> None:
    with pytest.raises(ValueError, match=r"^$|NoneType"):
        published_box(text)


# --- ReCall


@pytest.mark.parametrize(
    ("turn", "reason"),
    [
        ("<think>a", "<think> and </think> are not paired: think=1, think_end=0"),
        ("a", "missing <think> tag"),
        (
            "<think></think><tool_call>",
            "<tool_call> and </tool_call> are not paired: tool_call=1, tool_call_end=0",
        ),
        (
            "<think></think><tool_call>{}</tool_call>",
            "tool_call is missing name or arguments field",
        ),
        (
            '<think></think><tool_call>"name" "arguments"</tool_call>',
            'tool_call is not a valid json: "name" "arguments"',
        ),
        ("<think></think>1", "the last response is missing \\boxed"),
    ],
)
def test_reasons_of_recall(turn: str, reason: str) -> None:
    assert recall_score(f"{CHAT}{turn}<|im_end|>", ["1"]) == (0.0, f"bad format: {reason}")
    good = f"{CHAT}<think></think>\\boxed{{1}}<|im_end|>"
    earlier = recall_score(f"{CHAT}{turn}<|im_end|>{good}", ["1"])
    assert earlier.value == (1.0 if "boxed" in reason else 0.0), "only the last turn needs a box"


def test_recall_without_a_turn_of_the_assistants() -> None:
    assert recall_score("x<|im_end|>", ["1"]).reason == "bad format: no assistant response found"


# --- Search-R1 and ZeroSearch


def test_the_last_answer_counts_and_only_beside_the_example_of_the_prompt() -> None:
    assert search_r1_em(f"{PROMPT}<answer>a</answer><answer>Paris</answer>", ["Paris"]) == 1.0
    assert search_r1_em(f"{CHAT}<answer>Paris</answer>", ["Paris"]) == 0.0
    assert search_r1_subem(f"{PROMPT}<answer>in Paris</answer>", ["Paris"]) == 1.0
    assert search_r1_em(f"{PROMPT}<answer>in Paris</answer>", ["Paris"]) == 0.0


SEARCH = "<think>t</think><search>q</search><information>Paris</information>"


@pytest.mark.parametrize(
    ("response", "value"),
    [
        pytest.param(f"{SEARCH}<think>u</think><answer>Paris</answer>", 1.0, id="right-valid"),
        pytest.param(f"{SEARCH}<answer>Paris</answer>", 0.8, id="right-invalid"),
        pytest.param(f"{SEARCH}<think>u</think><answer>x</answer>", 0.3, id="wrong-valid-found"),
        pytest.param("<think>u</think><answer>x</answer>", 0.2, id="wrong-valid"),
        pytest.param(f"{SEARCH}<answer>x</answer>", 0.1, id="wrong-invalid"),
        pytest.param(SEARCH, 0.0, id="no-answer"),
    ],
)
def test_tiers_of_search_r1(response: str, value: float) -> None:
    got = search_r1_format_score(PROMPT + response, ["Paris"], retrieval=0.1)
    assert got == pytest.approx(value)


@pytest.mark.parametrize(
    ("response", "valid"),
    [
        (f"{SEARCH} <think>u</think>\n<answer>x</answer>\n", True),
        (f"{SEARCH}{SEARCH}<think>u</think><answer>x</answer>", True),
        (f"{SEARCH}<answer>x</answer>", False),
        ("<think>u</think> hm <answer>x</answer>", False),
        ("<think>u</think><answer>x</answer>.", False),
        ("<think>u</think><search>q</search><answer>x</answer>", False),
        ("<think>a<think>u</think></think><answer>x</answer>", False),
        ("<think>u</think>", False),
        ("<think>u</think><think<answer>x</answer>", False),
    ],
)
def test_the_automaton_of_search_r1(response: str, valid: bool) -> None:
    assert valid_sequence(response) is valid


def test_with_several_tools_each_call_stands_where_a_search_may() -> None:
    code = SEARCH.replace("search>", "python>") + "<think>u</think><answer>x</answer>"
    assert not valid_sequence(code)
    assert valid_sequence(code, {"search", "python"})


def test_zerosearch_calls_substring_match_exact_and_dies_without_an_answer() -> None:
    assert zerosearch_score(f"{PROMPT}<answer>Bart</answer>", ["art"]) == (1.0, 0.0)
    assert zerosearch_score(f"{PROMPT}<answer>no, yes</answer>", ["no"])[1] == pytest.approx(2 / 3)
    assert zerosearch_score(PROMPT, ["x"]) == (0.0, 0.0)
    with pytest.raises(AttributeError, match="'NoneType' object has no attribute 'lower'"):
        zerosearch_score(PROMPT, ["x"], published=True)


# --- AutoCoA


@pytest.mark.parametrize(
    ("text", "gold", "code", "strict"),
    [
        ("t</think>\\boxed{John Fitzgerald Kennedy}", "John Kennedy Fitzgerald", 1.0, 0.0),
        ("t</think>\\boxed{not in new york city}", "new york city hall", 1.0, 0.0),
        ("t</think>\\boxed{Paris, France}", "Paris", 0.0, 0.0),
        ("t</think>\\boxed{two}", "2", 1.0, 0.0),
        ("t</think>\\boxed{well, just 「Paris」}", "Paris", 1.0, 0.0),
        ("t</think>\\boxed{Rome}", "Lutetia<ans_split>Rome", 1.0, 1.0),
        ("t</think>So, it is Rome. I am sure", "it is rome", 1.0, 0.0),
        ("t</think>also, Rome.", "rome", 1.0, 0.0),
        ("t</think>Rome. It is.", "It is", 1.0, 0.0),
        ("t</think>Rome", "Rome", 1.0, 0.0),
        ("\\boxed{Rome}", "Rome", 0.0, 0.0),
        ("t</think>\\boxed{Rome} <begin_search>", "Rome", 0.0, 0.0),
        ("<begin_search> q </end_search> t</think>\\boxed{Rome}", "Rome", 1.0, 1.0),
        ("t</think>", "Rome", 0.0, 0.0),
        ("t</think>", "the", 0.0, 0.0),
        ("t</think>\\boxed{x}", "", 0.0, 0.0),
    ],
)
def test_autocoa_is_not_exact_match(text: str, gold: str, code: float, strict: float) -> None:
    assert autocoa_code_score(text, gold) == code
    assert autocoa_strict_score(text, gold) == strict
    aliases = gold.split("<ans_split>")
    assert autocoa_code_score(text, aliases) == code


# --- ReTool


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"<answer>\boxed{\frac{1}{2}}</answer>", r"\frac{1}{2}"),
        (r"\boxed{1} then \boxed{2}", "2"),
        ("so 12, then 1,000.5 eggs", "1,000.5"),
        (r"\boxed{7", "7"),
        ("nothing", None),
    ],
)
def test_answers_of_retool(text: str, answer: str | None) -> None:
    assert retool_answer(text) == answer


def test_retool_is_plus_or_minus_one() -> None:
    assert retool_score(r"\boxed{1,000}", ["1000"]) == 1.0
    assert retool_score(r"\boxed{1001}", ["1000"]) == -1.0
    assert retool_score("nothing", ["1000"]) == -1.0
    assert retool_score(r"\boxed{\frac12}", ["0.5"], math_match) == 1.0


# --- What they share


def test_yes_and_no_are_right_only_as_a_whole() -> None:
    assert f1_with_yes_no("no", ["no"]) == 1.0
    assert f1_with_yes_no("no way", ["no"]) == f1_with_yes_no("no", ["no way"]) == 0.0
    assert f1_with_yes_no("no way", ["no", "no way out"]) == pytest.approx(0.8)
    assert contains_match("Bart", ["art", "x"]) == 1.0
    assert contains_match("art", ["Bart"]) == 0.0


@given(st.lists(st.sampled_from(["<a>", "</a>", "x", "\n"])).map("".join))
def test_inside_finds_what_the_lazy_pattern_finds(text: str) -> None:
    import re

    assert list(inside(text, "<a>", "</a>")) == re.findall(r"<a>(.*?)</a>", text, re.DOTALL)


UNITS = ["<answer>", "<search>", "</think>", "\\boxed{", "\\boxed ", "{", "So,", ". ", "<think>"]
SCORES: dict[str, Callable[[str, list[str]], Any]] = {
    "research": research_score,
    "recall": recall_score,
    "search_r1": search_r1_em,
    "search_r1_format": search_r1_format_score,
    "zerosearch": zerosearch_score,
    "autocoa_code": autocoa_code_score,
    "autocoa_strict": autocoa_strict_score,
    "retool": retool_score,
}


@pytest.mark.parametrize("name", SCORES)
def test_scoring_takes_time_linear_in_the_length(name: str) -> None:
    """The published patterns are quadratic in what is left open."""
    for unit in UNITS:
        for head, tail in [(PROMPT, ""), (boxed("x")[:-13], "<|endoftext|>"), (CHAT, "<|im_end|>")]:
            text = head + unit * (200_000 // len(unit)) + tail
            started = time.process_time()
            SCORES[name](text, ["1"])
            assert time.process_time() - started < 1.0, (unit, head)


@pytest.mark.parametrize("name", SCORES)
@given(text=st.lists(st.one_of(st.sampled_from([*UNITS, PROMPT, CHAT]), st.text(max_size=5))))
def test_no_text_makes_a_scorer_raise(name: str, text: list[str]) -> None:
    SCORES[name]("".join(text), ["1", "2"])

"""Reading `\\boxed{...}`: balance, order, bounded time."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from react_envs.errors import ArgumentError
from react_envs.rewards.boxed import extract_boxed, find_boxes


@pytest.mark.parametrize(
    ("text", "content"),
    [
        pytest.param(r"\boxed{18}", "18", id="plain"),
        pytest.param(r"\boxed{\frac{3}{4}}", r"\frac{3}{4}", id="nested-braces"),
        pytest.param(r"\boxed {18}", "18", id="space-before-the-brace"),
        pytest.param(r"\boxed{\{1, 2\}}", r"\{1, 2\}", id="escaped-braces-do-not-balance"),
        pytest.param(r"\boxed{a\\}", r"a\\", id="a-line-break-does-not-escape-the-brace"),
        pytest.param(r"{{ \boxed{18}", "18", id="unclosed-braces-outside"),
        pytest.param(r"\boxed{\boxed{18}}", "18", id="box-in-box-is-the-inner"),
        pytest.param(r"\boxed{}", "", id="empty"),
        pytest.param(r"\boxed{18", None, id="never-closed"),
        pytest.param(r"\boxed{17} \boxed{18", "17", id="cut-off-last-box-is-none"),
        pytest.param("no box", None, id="none"),
    ],
)
def test_content(text: str, content: str | None) -> None:
    assert extract_boxed(text) == content


def test_first_and_last() -> None:
    text = r"\boxed{1} then \boxed{2} then \boxed{3}"
    assert extract_boxed(text) == "3"
    assert extract_boxed(text, which="last") == "3"
    assert extract_boxed(text, which="first") == "1"


def test_unknown_choice_is_refused() -> None:
    with pytest.raises(ArgumentError, match="middle"):
        extract_boxed(r"\boxed{1}", which="middle")  # type: ignore[arg-type]


def test_positions_span_the_whole_command() -> None:
    text = r"a \boxed{b} c"
    (box,) = find_boxes(text)
    assert text[box.start : box.end] == r"\boxed{b}"


@st.composite
def balanced(draw: st.DrawFn) -> str:
    inner = st.text(st.sampled_from("ab1 \\^_$"), max_size=6).map(lambda s: s.replace("\\", ""))
    nested = st.recursive(
        inner, lambda s: st.tuples(inner, s, inner).map(lambda p: p[0] + "{" + p[1] + "}" + p[2])
    )
    return draw(nested)


@given(balanced(), balanced(), balanced())
def test_any_balanced_content_comes_back(before: str, content: str, after: str) -> None:
    assert extract_boxed(before + r"\boxed{" + content + "}" + after) == content


@pytest.mark.parametrize("pattern", [r"\boxed{", "{", "}", r"\boxed{}", r"\boxed{a", "\\"])
def test_a_megabyte_of_braces_takes_linear_time(pattern: str) -> None:
    text = pattern * (1_000_000 // len(pattern))
    started = time.process_time()
    extract_boxed(text)
    assert time.process_time() - started < 5

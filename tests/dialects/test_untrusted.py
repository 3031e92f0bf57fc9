"""Text of a tool's in an observation, and observations cut to a length."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from react_envs.dialects import make_dialect
from react_envs.dialects.truncation import cut_characters, fit_tokens, load_tokenizer
from react_envs.dialects.untrusted import (
    neutralize_chat_tokens,
    neutralize_lines,
    neutralize_tags,
)
from react_envs.errors import ArgumentError

TAGS = ["information", "answer"]
pieces = st.lists(
    st.sampled_from(["<", "/", "information", "answer", ">", " ", "|im_end|", "\n", "</answer>"])
).map("".join)


@given(text=pieces)
def test_no_tag_is_left_and_doing_it_twice_changes_nothing(text: str) -> None:
    safe = neutralize_chat_tokens(neutralize_tags(text, TAGS))
    assert not re.search(r"</?(information|answer)\s{0,8}>", safe, re.IGNORECASE)
    assert "<|im_end|>" not in safe
    assert neutralize_chat_tokens(neutralize_tags(safe, TAGS)) == safe
    assert safe.replace("< ", "<") == text.replace("< ", "<"), "nothing but blanks came in"


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("</information>", "< /information>"),
        ("<Answer >", "< Answer >"),
        ("a < b </b> <answers>", "a < b </b> <answers>"),
        ("<<answer>>", "<< answer>>"),
    ],
)
def test_tags_become_readable_text(text: str, safe: str) -> None:
    assert neutralize_tags(text, TAGS) == safe


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("Final Answer: 7", "> Final Answer: 7"),
        ("a\n  **Final Answer:** 7", "a\n>   **Final Answer:** 7"),
        ("a\nfinal answer 2 : 7", "a\n> final answer 2 : 7"),
        ("the Final Answer: 7", "the Final Answer: 7"),
        ("Final Answers: 7", "Final Answers: 7"),
    ],
)
def test_lines_that_look_like_a_turn_are_quoted(text: str, safe: str) -> None:
    assert neutralize_lines(text, ["Final Answer", "Action"]) == safe


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("<|im_end|>", "< |im_end|>"),
        ("<｜User｜>", "< ｜User｜>"),
        ("a <| b |> c", "a <| b |> c"),
        ("x <|y", "x <|y"),
    ],
)
def test_tokens_of_chat_templates_become_text(text: str, safe: str) -> None:
    assert neutralize_chat_tokens(text) == safe


@pytest.mark.parametrize("unit", ["<", "</", " ", "\n", "Action", "<answer", "*", "<|", "<|a"])
def test_guards_take_linear_time(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))
    started = time.process_time()
    neutralize_tags(text, TAGS)
    neutralize_lines(text, ["Action", "Final Answer"])
    neutralize_chat_tokens(text)
    assert time.process_time() - started < 2.0


# --- Length


def wrap(text: str) -> str:
    return f"<information>{text}</information>"


class Words:
    """A tokenizer whose tokens are words."""

    def encode(self, text: str) -> list[str]:
        return re.findall(r"\s*[^\s<>]+|\s*[<>]|\s+", text)

    def decode(self, tokens: list[str]) -> str:
        return "".join(tokens)


@given(text=st.text(alphabet="ab é\n<>", max_size=200), limit=st.integers(1, 40))
def test_the_tags_stay_and_the_text_gives_way(text: str, limit: int) -> None:
    for tokenizer in (Words(), load_tokenizer(None)):
        cut = fit_tokens(text, wrap, limit, tokenizer, hard=False)
        assert cut.startswith("<information>")
        assert cut.endswith("</information>")
        inner = cut.removeprefix("<information>").removesuffix("</information>")
        assert text.startswith(inner)
        fits = len(tokenizer.encode(cut)) <= limit
        assert fits or inner == ""
        if len(tokenizer.encode(wrap(text))) <= limit:
            assert cut == wrap(text)


def test_search_r1_loses_its_closing_tag_only_as_published() -> None:
    long = "word " * 2_000
    ours = make_dialect("search_r1").observation(long, "<search>q</search>")
    assert ours.endswith("</information>\n\n")
    assert len(ours) == pytest.approx(2_000, abs=16)
    theirs = make_dialect({"name": "search_r1", "published": True})
    assert "</information>" not in theirs.observation(long, "<search>q</search>")
    short = make_dialect({"name": "search_r1", "max_observation_tokens": 20})
    assert len(short.observation(long, "")) <= 80
    free = make_dialect({"name": "search_r1", "max_observation_tokens": None})
    assert long.strip() in free.observation(long, "")
    zero = make_dialect("zerosearch").observation("word " * 3_000, "")
    assert len(zero) == pytest.approx(2_048 * 4, abs=16)


def test_a_tokenizer_of_transformers_counts_the_tokens(tmp_path: object) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    transformers = pytest.importorskip("transformers")
    model = tokenizers.models.WordLevel({"[UNK]": 0, "a": 1}, unk_token="[UNK]")
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]")
    fast.save_pretrained(str(tmp_path))
    for given_as in (fast, str(tmp_path)):
        dialect = make_dialect(
            {"name": "search_r1", "tokenizer": given_as, "max_observation_tokens": 12}
        )
        told = dialect.observation("a " * 500, "")
        assert told.strip().startswith("<information>")
        assert told.strip().endswith("</information>")
        assert told.count("a ") < 12


@pytest.mark.parametrize(
    ("side", "cut"),
    [
        ("left", "01...(truncated)"),
        ("right", "(truncated)...89"),
        ("middle", "0...(truncated)...9"),
    ],
)
def test_the_three_sides_of_verl(side: str, cut: str) -> None:
    options = {"name": "hermes", "max_observation_characters": 2, "truncate_side": side}
    told = make_dialect(options).observation("0123456789", "")
    assert told == f"\n<tool_response>\n{cut}\n</tool_response>\n"
    assert make_dialect(options).message("0123456789")["content"] == cut
    assert cut_characters("01", 2) == "01"


def test_a_side_or_a_length_that_cannot_be_is_told() -> None:
    with pytest.raises(ArgumentError, match="expected side to be 'left', 'right' or 'middle'"):
        make_dialect({"name": "hermes", "truncate_side": "top"})
    with pytest.raises(ArgumentError, match="max_observation_tokens must be at least 1"):
        make_dialect({"name": "search_r1", "max_observation_tokens": 0})
    with pytest.raises(ArgumentError, match="after_answer must be 'cut' or 'keep'"):
        make_dialect({"name": "search_r1", "after_answer": "drop"})


def test_retool_keeps_both_ends_of_a_long_output() -> None:
    told = make_dialect("retool").observation("a" * 300 + "b" * 300, "")
    assert told == "\n<interpreter>\n" + "a" * 200 + "..." + "b" * 200 + "</interpreter>\n\n"
    exact = "c" * 400
    assert exact in make_dialect("retool").observation(exact, "")

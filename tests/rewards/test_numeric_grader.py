"""The numeric grader: which number an answer commits to, and when it is the gold one."""

from __future__ import annotations

import json
import os
import re
import time
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from react_envs.errors import ArgumentError
from react_envs.rewards.numeric import extract_number, numeric_match, same_number

DATA = Path(
    os.environ.get("REACT_ENVS_DATA", Path(__file__).parents[3] / "shared" / "data")
).resolve()


def rows(path: str) -> list[dict[str, object]]:
    file = DATA / path
    if not file.exists():
        pytest.skip(f"{file} is absent; set REACT_ENVS_DATA")
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def gsm8k_answers(split: str) -> list[str]:
    return [
        str(row["answer"]).rpartition("####")[2].strip() for row in rows(f"gsm8k/{split}.jsonl")
    ]


# --- The table of the benchmarks page ----------------------------------------------------

TRUE_FORMS: dict[str, Callable[[int], str]] = {
    "N.0": lambda n: f"{n}.0",
    "$N": lambda n: f"${n}",
    "1,000": lambda n: f"{n:,}",
    "$1,000.00": lambda n: f"${n:,}.00",
    "N dollars": lambda n: f"{n} dollars",
    "N eggs": lambda n: f"{n} eggs",
    "**N**": lambda n: f"**{n}**",
    "x = N": lambda n: f"x = {n}",
    "boxed": lambda n: rf"\boxed{{{n}\text{{ eggs}}}}",
    "sentence": lambda n: f"So Janet makes ${n:,} per day.",
}
WRONG_FORMS: dict[str, Callable[[int], str]] = {
    "N+1": lambda n: str(n + 1),
    "N * 1.005": lambda n: repr(n * 1.005),
    "-N": lambda n: str(-n),
    "10 N": lambda n: str(10 * n),
    "N or N+1": lambda n: f"{n} or {n + 1}",
    "between": lambda n: f"between {n} and {n + 10}",
    "not N": lambda n: f"not {n}",
}


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("form", TRUE_FORMS)
def test_every_gsm8k_answer_is_accepted_in_every_true_form(form: str, split: str) -> None:
    golds = gsm8k_answers(split)
    write = TRUE_FORMS[form]
    missed = [g for g in golds if not numeric_match(write(int(g.replace(",", ""))), [g])]
    assert missed == []


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("form", WRONG_FORMS)
def test_no_gsm8k_answer_is_accepted_in_a_wrong_form(form: str, split: str) -> None:
    # Of 0, the values 0 * 1.005, -0 and 10 * 0 are right.
    golds = [g for g in gsm8k_answers(split) if g != "0"]
    write = WRONG_FORMS[form]
    taken = [g for g in golds if numeric_match(write(int(g.replace(",", ""))), [g])]
    assert taken == []


def test_answers_in_human_prose_are_read_better_than_by_the_last_number() -> None:
    """The last line of each GSM8K solution, written by people who named other numbers too."""
    ours: Counter[str] = Counter()
    last_number: Counter[str] = Counter()
    for row in rows("gsm8k/test.jsonl"):
        solution, _, gold = str(row["answer"]).rpartition("####")
        line = re.sub(r"<<.*?>>", "", solution).strip().splitlines()[-1]
        gold = gold.strip()
        numbers = re.findall(r"-?\d[\d,]*\.?\d*", line)
        last_number[str(bool(numbers) and numeric_match(numbers[-1], [gold]) == 1)] += 1
        value = extract_number(line)
        ours["none" if value is None else str(numeric_match(line, [gold]) == 1)] += 1
    assert ours["True"] >= last_number["True"]
    assert ours["False"] <= 6 < last_number["False"]


@pytest.mark.parametrize(
    "form",
    [
        pytest.param("{!r}", id="repr"),
        pytest.param("{:,}", id="thousands-separators"),
        pytest.param("{:.17g}", id="all-digits-of-the-double"),
    ],
)
def test_every_gsm_hard_answer_is_accepted_as_programs_print_it(form: str) -> None:
    golds = [float(str(row["target"])) for row in rows("gsm_hard/test.jsonl")]
    assert [g for g in golds if not numeric_match(form.format(g), [repr(g)])] == []


def test_a_gsm_hard_answer_rounded_to_cents_counts_only_by_the_documented_rule() -> None:
    golds = [float(str(row["target"])) for row in rows("gsm_hard/test.jsonl")]
    for gold in golds:
        exact, rounded = Fraction(repr(gold)), Fraction(f"{gold:.2f}")
        decimals = len(f"{gold:.20f}".rstrip("0").partition(".")[2])
        significant = len(f"{gold:.2f}".replace(".", "").lstrip("-0"))
        accepted = numeric_match(f"{gold:.2f}", [repr(gold)]) == 1
        if rounded == exact:
            assert accepted
        elif significant < 3 or decimals < 10:
            assert not accepted, gold


@pytest.mark.parametrize("wrong", [lambda g: g + 1, lambda g: g * 1.005, lambda g: -g])
def test_no_gsm_hard_answer_is_accepted_when_wrong(wrong: Callable[[float], float]) -> None:
    golds = [float(str(row["target"])) for row in rows("gsm_hard/test.jsonl")]
    assert [g for g in golds if g and numeric_match(repr(wrong(g)), [repr(g)])] == []


def test_svamp_and_multiarith_answers_match_themselves_and_no_neighbour() -> None:
    file = DATA / "svamp" / "SVAMP.json"
    if not file.exists():
        pytest.skip(f"{file} is absent; set REACT_ENVS_DATA")
    golds = [str(row["Answer"]) for row in json.loads(file.read_text())]
    golds += [str(row["target"]) for row in rows("multiarith/test.jsonl")]
    assert len(golds) == 1600
    for gold in golds:
        value = int(float(gold))
        assert numeric_match(gold, [gold]) == numeric_match(str(value), [gold]) == 1.0
        assert numeric_match(str(value + 1), [gold]) == 0.0


# --- Which number an answer commits to ---------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        # plain numerals
        ("18", 18),
        ("18.", 18),
        ("+18", 18),
        (".5", "1/2"),
        ("-5", -5),
        ("−5", -5),
        ("–5", -5),
        ("x = - 5", -5),
        ("minus 5", -5),
        ("negative 5 degrees", -5),
        ("1,234,567.50", "1234567.5"),
        ("1\u2009000", 1000),
        ("1\u00a0000\u00a0000", 1000000),
        ("1\u202f000,", 1000),
        ("１８", 18),
        ("0.30000000000000004", "0.30000000000000004"),
        # currency, units, percent
        ("$18", 18),
        ("$ 18.50", "18.5"),
        ("-$5", -5),
        ("$-5", -5),
        ("€18", 18),
        ("18 €", 18),
        ("£1,000", 1000),
        ("18 USD", 18),
        ("50%", 50),
        ("50 percent", 50),
        ("5.4 cents", "5.4"),
        ("18cm", 18),
        ("18 m²", 18),
        ("18 cm^2", 18),
        ("90°", 90),
        ("18-egg", 18),
        ("$18/day", 18),
        ("3 dozen", 3),
        ("18th", 18),
        # fractions, powers, scales
        ("3/4", "3/4"),
        ("-3/4", "-3/4"),
        ("1 1/2", "3/2"),
        ("1 and 1/2 cups", "3/2"),
        ("18½", "37/2"),
        ("½", "1/2"),
        ("12 and a half", "25/2"),
        (r"\frac{3}{4}", "3/4"),
        (r"-\dfrac{3}{4}", "-3/4"),
        (r"\frac43", "4/3"),
        (r"\frac 59", "5/9"),
        (r"\frac9{19}", "9/19"),
        (r"1\frac{4}{5}", "9/5"),
        ("1.2e3", 1200),
        ("1.2E-3", "0.0012"),
        ("1.2 × 10^3", 1200),
        ("1.2 × 10³", 1200),
        ("1.2 x 10^3", 1200),
        (r"1.2\times10^{3}", 1200),
        (r"5 \cdot 10^{-2}", "0.05"),
        ("10^3", 1000),
        ("1.5 million", 1500000),
        ("$3 thousand", 3000),
        # markup
        ("**18**", 18),
        ("**$18**", 18),
        ("*18* eggs", 18),
        ("_18_", 18),
        ("`18`", 18),
        ("<b>18</b>", 18),
        ("* 18", 18),
        ('{"answer": 18}', 18),
        ("[18]", 18),
        ("$18$", 18),
        ("$$\n18\n$$", 18),
        (r"\(18\)", 18),
        (r"\$18", 18),
        (r"18 \text{ dollars}", 18),
        (r"864 \mbox{ inches}^2", 864),
        (r"90^\circ", 90),
        (r"10,\!080", 10080),
        (r"1{,}000", 1000),
        (r"1\,000", 1000),
        # boxes
        (r"\boxed{18}", 18),
        (r"\boxed{\text{18 dollars}}", 18),
        (r"\boxed{\frac{3}{4}}", "3/4"),
        (r"With 9 eggs at $2 it is \boxed{18}.", 18),
        ("\\boxed{17}. Wait.\n\\boxed{18}", 18),
        # statements
        ("The answer is 18.", 18),
        ("**Answer:** 18", 18),
        ("9 eggs. The final answer is therefore: **$18**", 18),
        ("The answer is 18. She has 9 eggs.", 18),
        ("The answer is 18 because 9 * 2 = 18 and 9 > 2", 18),
        ("16 - 7 = 9\n#### 18", 18),
        ("x = 18", 18),
        ("She has 9 * 2 = 18 dollars.", 18),
        ("17.6 ≈ 18", 18),
        ("9 * 2 = $18 for 9 eggs", 18),
        ("So Janet makes $18 per day", 18),
        ("18 eggs (rounded)", 18),
        ("18 dollars per day, 18 in all", 18),
        ("18 dollars for 9 eggs", 18),
        ("She needs at least 18.", 18),
        ("18!", 18),
        ("H2O weighs 18", 18),
    ],
)
def test_the_number_of_an_answer(text: str, value: int | str) -> None:
    assert extract_number(text) == Fraction(value)


@pytest.mark.parametrize(
    "text",
    [
        # several numbers, none of them chosen
        "between 10 and 20",
        "3 or 4",
        "18 or 19",
        "either 18, or 18.5",
        "18, 19",
        "18,19",
        "10-20",
        "10 – 20",
        "The answer is 18 or 19",
        r"\boxed{18} or \boxed{19}",
        "x = 18 or x = 19",
        "x = 18 dollars or 19 for you",
        "She sells 9 eggs for 18 dollars",
        "5 hours 30 minutes",
        "9*2 = 18 hours 30 minutes",
        "5 dollars and 50 cents",
        "3 in 4",
        "3 out of 4 people",
        "12 inches by 3 inches",
        "18 or nineteen? 20",
        " ".join(str(n) for n in range(100)),
        # negation and comparison
        "not 18",
        "The answer is not 18",
        "isn't 18",
        "cannot be 18",
        "18 is not the answer",
        "18 is wrong",
        "more than 18",
        "> 18",
        r"x \ge 18",
        "18+",
        "±18",
        "~~18~~",
        # expressions
        "2+3",
        "2 * 2",
        "18 = 9+9",
        "9-18",
        "x-5",
        "2x",
        "2 x",
        "2^3",
        "2**3",
        "2³",
        r"\sqrt{18}",
        r"11\sqrt2",
        r"18\pi",
        "6 - 5i",
        "18i",
        "f(18)",
        "x_{18}",
        "x^2",
        "52_8",
        r"\frac{11+9a}{20}",
        r"\frac{20000}{\pi}",
        r"\boxed{5!}",
        "|−18|",
        "(2,100)",
        "1/0",
        "1/2/3",
        "5 10/2",
        # ambiguous or foreign numerals
        "1.000,50",
        "1,5",
        "1,00",
        "0,500",
        "1 000",
        "1.2.3",
        "3:30",
        "18k",
        "$2M",
        "1万",
        "2 lakh",
        "2 hundred thousand",
        "12 dollars and a half",
        "- 18",
        "-$-5",
        "1e99999999",
        "10^999999999",
        "9" * 5000,
        # no number at all
        "",
        "eighteen",
        "nan",
        "inf",
        "H2O",
        r"\boxed{18",
        r"It was 18 but \boxed{Janet}",
        "\ud800\0",
    ],
)
def test_an_answer_that_commits_to_no_number(text: str) -> None:
    assert extract_number(text) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("18 because 9 * 2 = 18", 18),
        ("18 eggs because she sells 9", 18),
        ("18, as she sells 9 eggs at $2 each", 18),
        ("18, since 9 times 2 is 18", 18),
        ("$18, because 16 - 7 = 9 eggs are sold at $2 each", 18),
        ("$18 because the 9 eggs are $2 each.", 18),
        ("18 since she eats 3 and bakes with 4", 18),
        ("She makes $18 because she sells 9 eggs at $2 each.", 18),
        ("AU$18", 18),
        ("CA$18 per day", 18),
        ("US$ 18.00", 18),
        ("USD $18", 18),
        ("USD18", 18),
        ("Rs. 18", 18),
        ("US$1,800", 1800),
        ("-US$18", -18),
        ("$18 (16 - 3 - 4 = 9 eggs, 9 × 2 = 18)", 18),
        ("18 (= 9 × 2)", 18),
        ("18 (since she sells 9 eggs)", 18),
        ("18 dollars (9 eggs at $2 each)", 18),
        ("18 (rounded from 17.6)", 18),
        ("So she makes $18 per day (9 eggs × $2).", 18),
        ("18 dollars (9 * $2).", 18),
        ("**$18** (9 eggs × $2)", 18),
        ("$18\n\nShe sells 16 - 3 - 4 = 9 eggs at $2 each.", 18),
        ("18\nExplanation: 16 - 3 - 4 = 9, and 9 * 2 = 18.", 18),
        ("18\n\nExplanation:\n1. She has 16 - 7 = 9 eggs.\n2. 9 * 2 = 18.", 18),
        ("**18**\n\n**Reasoning:** 9 eggs at $2 each.", 18),
        ("18 dollars.\nJanet sells 9 eggs for 2 dollars each.", 18),
        ("18 dollars. She sells 9 eggs at $2 each.", 18),
        ("$18.\n\nBecause she sells 9 eggs at $2.", 18),
        ("$18\n\nShe sells 9 eggs at $2 each, so she makes $18.", 18),
        ("18</s>", 18),
        ("18<|endoftext|>", 18),
        ("$18.<|eot_id|>", 18),
        ("18<｜end▁of▁sentence｜>", 18),
        (r"\boxed{18}<|im_end|>", 18),
        ("18 dollars<|im_end|>\n", 18),
        ("The answer is 18.<|im_end|>", 18),
        ("18<eos>", 18),
        ("18 dollars and 0 cents", 18),
        ("$18 and zero cents", 18),
        ("$1,018 and 00 cents", 1018),
        ("$18.00 and no cents", 18),
        ("Answer - $18", 18),
        ("Final answer – 18", 18),
        ("The answer - 18 dollars", 18),
        ("**Answer** - 18", 18),
        ("9 eggs at $2 each is $18", 18),
        ("18 dollars per hour for 8 hours equals 144 dollars", 144),
        ("3 boxes of 6 eggs makes 18 eggs", 18),
        ("20% of 90 is 18", 18),
        ("9 × 2 is 18", 18),
        ("9 times 2 equals 18.", 18),
        ("9 plus 9 makes 18", 18),
        ("9 eggs per day at $2 per egg comes to $18", 18),
        ("9 eggs for $2 each totals $18.", 18),
        ("$18 for 9 eggs", 18),
        ("$18 for 9 eggs at $2 each", 18),
        ("18 dollars per day for 7 days", 18),
        ("18 eggs in 2 days, with 9 per day", 18),
        ("18 dollars after selling 9 eggs", 18),
        ("18 when she sells 9", 18),
        ("$6 for 2 tubs of ice cream and 4 packets of milk", 6),
        ("18 eggs over 5 days", 18),
        ("18 miles on day 5", 18),
        ("$18 each for 3 people", 18),
        ("18, because she sells 9 eggs at $2 each.", 18),
        ("US$18", 18),
        ("$18 (9 eggs × $2)", 18),
        ("18 (9 × 2)", 18),
        ("$18.\n\nExplanation: 9 eggs at $2.", 18),
        ("18<|im_end|>", 18),
        ("$18 and 0 cents", 18),
        ("Answer - 18", 18),
        ("18 dollars per hour for 8 hours is 144 dollars", 144),
        ("$5 for 3 days makes $15", 15),
        ("18, because she has 16 - 7 = 9 eggs, so she earns 9 * 2 = 18", 18),
        ("The answer is $18 (9 eggs × $2).", 18),
        ("18 million", 18000000),
    ],
)
def test_an_answer_with_its_reason_or_its_units_is_read(text: str, value: int) -> None:
    assert extract_number(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "18 dollars per hour for 8 hours is not 144 dollars",
        "18 dollars per hour for 8 hours is 144 or 150 dollars",
        "18 dollars per hour for 8 hours is more than 144 dollars",
        "18 dollars per hour for 8 hours is 144 dollars, or 150",
        "18 or 19 for 8 hours is 144",
        "$5 for 3 days makes $15, for 4 days it makes $20",
        "$5 for 3 days, which makes a total of $15",
        "$18 for one, $19 for two",
        "$18 for one and $19 for two",
        "$18 for one $19 for two",
        "$18 for one; $19 for two",
        "18 dollars for one, 19 dollars for two",
        "18 for one, 19 for two",
        "$18 for Bob and $19 for Ann",
        "18 dollars for Bob 19 dollars for Ann",
        "18 if she sells 9, 19 if she sells 10",
        "$18 if she works $19 if not",
        "18 dozen for 2 dollars",
        "18 k for 2 years",
        "18k",
        "18 (million)",
        "18 (in thousands)",
        "18 hundred for 3 days",
        "18 million for 3 years",
        "18, because she sells 9, or 19 because she sells 10",
        "18 because 9 * 2; maybe 19",
        "18 is wrong because she sells 9",
        "not 18 because 9 * 2 is 18",
        "18? No, 19, because she sells 9",
        "18, 19, because she sells 9",
        "18 or 19 because she sells 9",
        "18 (or 19)",
        "18 (19)",
        "18 (not 19)",
        "18 (maybe 19)",
        "18 (19 dollars)",
        "18 (9 × 2 = 19)",
        "18 (9 times 2 is 19)",
        "18 (± 2)",
        "18 (base 20)",
        "18 (× 1000)",
        "18 (mod 20)",
        "18 (between 17 and 19)",
        "18 (17 or 19)",
        "(18) (19)",
        "18 and 5 cents",
        "$18 and 50 cents",
        "$18 and 10 cents",
        "18\n19\n20",
        "$18.\n$19.\n$20.",
        "18\n\n19",
        "18.\nOr 19.",
        "18\nMaybe it is 19.",
        "18\n\nNo wait, 19.",
        "18\n\nCorrection: 19",
        "18\nAlternatively 19",
        "18\nBob: 19",
        "- 18\n- 19",
        "* 18\n* 19\n* 20",
        "1. 18\n2. 19\n3. 20",
        "1. She has 9 eggs.\n2. She sells them.",
        "18\nExplanation: 9 * 2.\n19\nExplanation: 10 * 2.",
        "18 because 9.\n19 because 10.",
        "$18 for 9 eggs.\n$19 for 10 eggs.",
        "18<|im_end|>19",
        "18<|im_end|>\n<|im_start|>19",
        "US$18 or US$19",
        "18 or 19<|im_end|>",
        "x = 18\nx = 19\nx = 20",
        "18\n19\n9 * 2 = 20",
        "between 18 and 20",
        r"\boxed{18} or \boxed{19}",
        "not 18",
        "5 and the other is 18",
        "5 is wrong and 18 is right",
        "9 eggs.\nThen she sells them for 2 dollars, so she makes 18",
        "3 for 2",
        "3 in 4",
        "Answer - 18 or 19",
        "Answer - 18, 19",
        "18 (16 - 7 = 9)",
        "18, because 16 - 7 = 9, so times 2",
        "18 (37/2)",
        "18 (9 eggs)",
        "18\n\n9 eggs at $2 each.",
        "$18 for one, and for two $19",
        "x = 18\n19",
        "18, 19 for 2 days",
    ],
)
def test_a_near_miss_of_such_an_answer_is_not_read(text: str) -> None:
    assert extract_number(text) is None


@pytest.mark.parametrize(
    ("text", "not_the_answer"),
    [
        ("18 dollars per hour for 8 hours is 144 dollars", "18"),
        ("$5 for 3 days makes $15", "5"),
        ("$18 for one, $19 for two", "18"),
        ("18 million", "18"),
        ("18\n19\n20", "18"),
        ("18\n19\n20", "20"),
        ("18 (9 × 2 = 19)", "19"),
        ("Answer - 18", "-18"),
        ("18 because 9 + 10 = 19", "19"),
        ("$18\n\nShe sells 16 - 3 - 4 = 9 eggs at $2 each.", "9"),
    ],
)
def test_a_number_that_is_only_named_scores_nothing(text: str, not_the_answer: str) -> None:
    assert numeric_match(text, [not_the_answer]) == 0.0


# --- When two numbers are equal ----------------------------------------------------------


@pytest.mark.parametrize(
    ("prediction", "gold", "score"),
    [
        pytest.param("101", "100", 0, id="one-percent-off-is-wrong"),
        pytest.param("1000000001", "1000000000", 0, id="one-off-in-a-billion-is-wrong"),
        pytest.param("1/3", "2/6", 1, id="fractions-reduce"),
        pytest.param("0.75", r"\frac{3}{4}", 1, id="decimal-and-fraction"),
        pytest.param("0.333333", "1/3", 0, id="a-short-decimal-is-not-a-third"),
        pytest.param("0.3333333333333333", "1/3", 1, id="a-printed-third-is"),
        pytest.param("0.30000000000000004", "0.3", 1, id="float-noise-in-the-answer"),
        pytest.param("1895420.5", "1895420.4999999998", 1, id="float-noise-in-the-gold"),
        pytest.param("18.00000001", "18", 0, id="a-near-miss-is-no-float-noise"),
        pytest.param("1000000000001.00", "1000000000000", 0, id="one-off-in-a-million-million"),
        pytest.param("1234567890123.45", "1234567890124.45", 0, id="one-off-with-15-digits"),
        pytest.param("1128316.33", "1128316.3333333333", 1, id="rounded-to-cents"),
        pytest.param("1128316.34", "1128316.3333333333", 0, id="rounded-wrongly"),
        pytest.param("1128316.66", "1128316.6666666667", 0, id="cut-off-is-not-rounded"),
        pytest.param("1128316", "1128316.3333333333", 0, id="rounded-to-whole-is-wrong"),
        pytest.param("0.07", "0.0666666666666667", 0, id="one-digit-is-too-few"),
        pytest.param("2.33", "2.3333333333", 1, id="three-digits-are-enough"),
        pytest.param("2.3333333333333335", "2.3333333333", 1, id="finer-than-the-gold"),
        pytest.param("377712.38", "377712.375", 0, id="an-exact-gold-is-not-rounded"),
        pytest.param("50%", "50", 1, id="percent-as-a-unit"),
        pytest.param("50", "50%", 1, id="percent-left-out"),
        pytest.param("50%", "0.5", 1, id="percent-as-hundredths"),
        pytest.param("0.5", "50%", 1, id="percent-as-hundredths-in-the-gold"),
        pytest.param("50%", "50%", 1, id="percent-on-both-sides"),
        pytest.param("5000%", "50%", 0, id="percent-on-both-sides-differs"),
        pytest.param("0.5", "50", 0, id="half-is-not-fifty"),
        pytest.param("50", "0.5", 0, id="fifty-is-not-half"),
        pytest.param("0.5%", "0.5", 0, id="half-a-percent-is-not-a-half"),
        pytest.param("5000%", "50", 0, id="hundredths-only-below-one"),
        pytest.param("26 billion miles", "26", 0, id="a-scale-is-no-unit"),
        pytest.param("26 billion miles", "26000000000", 1, id="scale-as-a-factor"),
        pytest.param("0.5 million", "500000", 1, id="fraction-of-a-scale"),
        pytest.param("2 thousand", "2", 0, id="a-thousand-is-no-unit-of-two"),
        pytest.param("-18", "18", 0, id="sign"),
        pytest.param("-0", "0", 1, id="negative-zero"),
        pytest.param("18", "#### 18", 1, id="gold-with-its-mark"),
        pytest.param("no idea", "18", 0, id="no-number"),
    ],
)
def test_equality(prediction: str, gold: str, score: int) -> None:
    assert numeric_match(prediction, [gold]) == score


def test_any_target_counts_and_none_gives_zero() -> None:
    assert numeric_match("18", ["17", "18"]) == 1.0
    assert numeric_match("18", []) == 0.0


@pytest.mark.parametrize("targets", ["18", 18, [18], ["eighteen"], ["18 or 19"], [""]])
def test_unusable_targets_are_the_programmers_mistake(targets: object) -> None:
    with pytest.raises(ArgumentError, match="expected"):
        numeric_match("18", targets)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("prediction", "gold", "verdict"),
    [
        ("18 dollars", "18", True),
        ("x = 18", "18", True),
        ("x = 18", "x = 18.0", True),
        ("y = 18", "x = 18", False),
        ("19", "18", False),
        ("x^2 = 4", "4", None),
        ("y = 2x + 3", "3", None),
        ("She has 18", "18", None),
        ("2ab", "2", None),
        ("18", r"18\pi", None),
        ("5x + 4 = 0", "0", None),
    ],
)
def test_same_number_wants_the_whole_text(prediction: str, gold: str, verdict: bool | None) -> None:
    assert same_number(prediction, gold) is verdict


# --- Properties --------------------------------------------------------------------------

RATIONALS = st.one_of(
    st.integers(-(10**12), 10**12).map(Fraction),
    st.builds(
        lambda digits, places: Fraction(digits, 10**places),
        st.integers(-(10**9), 10**9),
        st.integers(0, 5),
    ),
    st.fractions(min_value=-1000, max_value=1000, max_denominator=999),
)


def decimal(value: Fraction) -> str | None:
    """`value` as an exact decimal of at most five places, None if it has none."""
    scaled = value * 10**5
    if scaled.denominator != 1:
        return None
    digits = f"{abs(scaled.numerator):06d}"
    text = f"{digits[:-5]}.{digits[-5:]}".rstrip("0").rstrip(".")
    return ("-" if value < 0 else "") + text


def commas(text: str, separator: str = ",") -> str:
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    whole, point, rest = digits.partition(".")
    return f"{sign}{int(whole):,}".replace(",", separator) + point + rest


@st.composite
def written(draw: st.DrawFn, value: Fraction) -> str:
    """Some way to write exactly `value` as an answer."""
    forms = [
        f"{value.numerator}/{value.denominator}",
        rf"\frac{{{value.numerator}}}{{{value.denominator}}}",
    ]
    text = decimal(value)
    if text is not None:
        dollars = f"-${text[1:]}" if value < 0 else f"${text}"
        forms += [text, text.replace("-", "−"), dollars, commas(text), commas(text, "\u202f")]
        if "." not in text:
            forms += [text + ".0", text + ".00"]
    number = draw(st.sampled_from(forms))
    frame = draw(
        st.sampled_from(
            [
                "{}",
                " {} \n",
                "**{}**",
                "`{}`",
                "The answer is {}.",
                "Answer: {} eggs",
                "#### {}",
                "x = {}",
                r"\boxed{{{}}}",
                r"3 + 4 = 7, so \boxed{{{}\text{{ eggs}}}}.",
                r"\({}\)",
                "So she has {} eggs.",
            ]
        )
    )
    return frame.format(number)


@given(st.data(), RATIONALS)
def test_any_rational_in_any_form_is_right(data: st.DataObject, value: Fraction) -> None:
    gold = f"{value.numerator}/{value.denominator}"
    answer = data.draw(written(value))
    assert numeric_match(answer, [gold]) == 1.0, answer


@given(st.data(), RATIONALS, RATIONALS)
def test_any_other_rational_in_any_form_is_wrong(
    data: st.DataObject, value: Fraction, gold: Fraction
) -> None:
    answer = data.draw(written(value))
    assert numeric_match(answer, [f"{gold.numerator}/{gold.denominator}"]) == float(value == gold)


@given(st.data(), st.integers(0, 10**6), st.integers(1, 1000))
def test_naming_two_numbers_is_naming_none(data: st.DataObject, value: int, step: int) -> None:
    join = data.draw(st.sampled_from([" or ", ", ", " and ", " to ", " - ", "/or/", "; ", "\n"]))
    frame = data.draw(st.sampled_from(["{}", "The answer is {}.", r"\boxed{{{}}}", "x = {}"]))
    answer = frame.format(f"{value}{join}{value + step}")
    if "answer" in frame and join in ("; ", "\n"):  # the sentence ends before the second
        answer = f"{value}{join}{value + step}"
    assert extract_number(answer) is None, answer


# fmt: off
FRAGMENTS = st.lists(
    st.sampled_from([
        *"0123456789.,:'_-+*/^=$%€{}()[]|<>~!#\\ \n\0exx½²−\u2009\u202f\ud800",
        r"\frac", r"\boxed{", r"\text{", r"\times", "10^", "e9", "answer is", "####", "million",
        "not ", " or ", " and a half", " percent", "1/2", "**", "because",
    ]),
    max_size=60,
).map("".join)
SLOW_PATTERNS = [
    "9", "1 ", "1,", "1=", "1/", "-", "- 1", "{", r"\boxed{1}", r"\frac{1}", "answer is 1 ",
    "not 1 ", "*a*", "_a ", "<a", "####1", "1*10^", "1e9", " ", "\n", "²", "1 and ", "= 1 or ",
    "1 because ", "1 (", "1\n", "x = 1\n", "$1 for 2 ", "<|a|>", "1 for 2 is ", "A. ", "US$", "a\n",
]
# fmt: on


@given(st.one_of(FRAGMENTS, st.text()))
def test_no_text_raises(text: str) -> None:
    value = extract_number(text)
    assert value is None or isinstance(value, Fraction)
    assert numeric_match(text, ["18"]) in (0.0, 1.0)


@pytest.mark.parametrize("pattern", SLOW_PATTERNS)
def test_a_megabyte_takes_bounded_time(pattern: str) -> None:
    text = pattern * (1_000_000 // len(pattern))
    started = time.process_time()
    extract_number(text)
    extract_number(text[:19_000])
    extract_number(text + "The answer is 18")
    assert time.process_time() - started < 3


def test_the_end_of_a_very_long_answer_is_still_read_if_it_is_marked() -> None:
    reasoning = "She has 3 eggs. " * 10_000
    assert extract_number(reasoning + "The answer is 18.") == 18
    assert extract_number(reasoning + r"\boxed{18}") == 18
    assert extract_number("x" * 100_000 + " 18") is None

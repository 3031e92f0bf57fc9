"""The synthetic task set: sound texts, exact solutions, disjoint splits, the same everywhere.

That the answers are right is shown in test_synthetic_answers.py, from the text alone.
"""

from __future__ import annotations

import ast
import hashlib
import json
import operator
import pickle
import random
import re
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from react_envs.errors import ArgumentError
from react_envs.tasks.synthetic import SyntheticMath
from react_envs.tasks.templates import TEMPLATES, Draw
from react_envs.tasks.templates.quantity import Quantity
from react_envs.tasks.templates.words import NAMES
from react_envs.types import Task

GOLDEN = "f8ec95f3e71c2869"
"""Digest of the first 1,000 tasks of both splits. If it changes, the data set has changed:
raise `synthetic.VERSION` and register a new version of the environments that use it."""

MEASURED = {
    *("dollars", "liters", "hours", "miles", "kilometers", "centimeters", "kilograms"),
    *("degrees", "megabytes"),
}
"""Units of which half a one makes sense; everything else is counted."""

ANNOTATION = re.compile(r"<<(.+?)=(.+?)>>(\d+(?:\.\d+)?)")
OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def evaluate(expression: str) -> Fraction:
    """Exact value of a Python expression of + - * / and decimals, which are read as written."""

    def value(node: ast.expr) -> Fraction:
        if isinstance(node, ast.BinOp):
            return OPERATORS[type(node.op)](value(node.left), value(node.right))
        assert isinstance(node, ast.Constant), expression
        return Fraction(ast.get_source_segment(expression, node) or "")

    return value(ast.parse(expression, mode="eval").body)


EXPRESSIONS = st.recursive(
    st.builds(Quantity, st.integers(1, 30) | st.fractions(0, 9, max_denominator=4)),
    lambda inner: st.builds(
        lambda sign, a, b: sign(a, b) if sign is not operator.truediv or b.value else a,
        st.sampled_from(list(OPERATORS.values())),
        inner,
        inner,
    ),
    max_leaves=6,
)


@given(EXPRESSIONS)
@settings(max_examples=300, deadline=None)
def test_the_text_of_an_expression_has_its_value(quantity) -> None:
    assert evaluate(quantity.expression) == quantity.value


@pytest.fixture(scope="module")
def tasks() -> dict[str, list[Task]]:
    """10,000 problems of each split, half of them with a distractor."""
    sets = {split: SyntheticMath(split, distractors=0.5) for split in ("train", "test")}
    return {split: [problems[i] for i in range(10_000)] for split, problems in sets.items()}


@pytest.fixture(scope="module")
def both(tasks) -> list[Task]:
    return tasks["train"] + tasks["test"]


# Solutions


def test_annotations_are_exact_and_end_in_the_answer(both) -> None:
    for task in both:
        *lines, last = task.solution.split("\n")
        assert len(lines) == task.metadata["steps"]
        for line in lines:
            ((expression, result, shown),) = ANNOTATION.findall(line)
            assert f"{expression} = " in line
            assert evaluate(expression) == Fraction(result), line
            assert result == shown, line
        assert last == f"#### {task.answers[0]}" == f"#### {result}"


def test_steps_use_only_numbers_of_the_question_of_earlier_steps_or_common_knowledge(both) -> None:
    # 2 and 4 legs, halves and sides, 10 and 5 and 25 cents, 60 minutes, 12 eggs, 100 percent.
    common = {Fraction(n) for n in (1, 2, 3, 4, 5, 10, 12, 25, 60, 100)}
    words = {"three": 3, "four": 4, "fifth": 5}
    for task in both:
        found = re.findall(r"\d+(?:\.\d+)?", task.question)
        known = common | {Fraction(n) for n in found}
        known |= {Fraction(n) for word, n in words.items() if word in task.question}
        known |= {Fraction(n) - 1 for n in found} | {Fraction(n) + 1 for n in found}
        for expression, result, _ in ANNOTATION.findall(task.solution):
            used = {Fraction(n) for n in re.findall(r"\d+(?:\.\d+)?", expression)}
            assert used <= known, (expression, task.question)
            known.add(Fraction(result))


def test_every_result_is_positive_and_counted_things_are_whole(both) -> None:
    for task in both:
        for _, result, _ in ANNOTATION.findall(task.solution):
            assert 0 <= Fraction(result) < 1_000_000, task.solution
        assert Fraction(task.answers[0]) > 0, task.solution
        for result, unit in re.findall(r">>(\S+) ([a-z ]+)\.", task.solution):
            if unit.split(" of ")[0] + "s" * (result == "1") not in MEASURED:
                assert Fraction(result).denominator == 1, task.solution


def test_answer_is_a_short_number_and_dollars_have_two_decimals_or_none(both) -> None:
    for task in both:
        for answer in task.answers:
            assert re.fullmatch(r"\d+(\.\d+)?", answer)
        assert len({Fraction(answer) for answer in task.answers}) == 1
        if task.metadata["answer_unit"] == "dollars":
            assert re.fullmatch(r"\d+(\.\d\d)?", task.answers[0])


# Language


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(r"(?<![.\d])1 (?!of|to)[a-z]+s\b", id="plural-after-one"),
        pytest.param(
            r"\b(?!1\b|0?\.1\b)\d+ (?:hour|meter|egg|box|friend|tile|day|liter)\b", id="one"
        ),
        pytest.param(r"\ba [aeio]", id="a-before-a-vowel"),
        pytest.param(r"\ba (?:8|11|18)\b|\ba 8\d\b", id="a-before-eight-eleven-eighteen"),
        pytest.param(r"\ban [^aeiou8h1]", id="an-before-a-consonant"),
        pytest.param(r"  ", id="two-spaces"),
        pytest.param(r"[{}<>|_]", id="unfilled-brace"),
        pytest.param(r" [.,?!;:]", id="space-before-punctuation"),
        pytest.param(r"[.?!][A-Za-z]", id="no-space-after-a-sentence"),
        pytest.param(r"[.?!] [a-z]", id="small-letter-starts-a-sentence"),
        pytest.param(r"\b([A-Za-z]+) \1\b", id="doubled-word"),
        pytest.param(r"\$\d+\.\d\b|\$\d+\.\d{3}", id="money-with-one-or-three-decimals"),
        pytest.param(r"\d\.\d{4}", id="endless-decimal"),
        pytest.param(r"\bs's\b|\b(?:childs|persons|loafs|gooses|sheeps|foots|mans)\b", id="plural"),
        pytest.param(r"[^\x20-\x7eé]", id="strange-character"),
    ],
)
def test_questions_have_no(wrong, both) -> None:
    for task in both:
        assert not re.search(wrong, task.question), task.question


def test_questions_end_with_their_only_question_or_two(both) -> None:
    for task in both:
        assert task.question.endswith("?")
        assert task.question[0].isupper() or task.question[0].isdigit()
        assert 40 < len(task.question) < 800, task.question


def test_a_distractor_is_one_more_sentence_before_the_last_and_changes_nothing_else() -> None:
    plain, distracted = SyntheticMath(distractors=0), SyntheticMath(distractors=True)
    for index in range(2_000):
        without, with_it = plain[index], distracted[index]
        head, stop, last = without.question.rpartition(". ")
        assert stop, "a wording needs a sentence before the question"
        assert with_it.question.startswith(head + stop)
        assert with_it.question.endswith(" " + last)
        aside = with_it.question[len(head + stop) : -len(" " + last)]
        assert aside.endswith(".")
        assert re.search(r"\d", aside)
        assert (without.answers, without.solution) == (with_it.answers, with_it.solution)
        assert not without.metadata["distractor"]
        assert with_it.metadata["distractor"]


@pytest.mark.parametrize("share", [0, 0.25, 1])
def test_share_of_distractors_is_what_was_asked_for(share) -> None:
    problems = SyntheticMath(distractors=share)
    found = sum(problems[index].metadata["distractor"] for index in range(2_000)) / 2_000
    assert found == pytest.approx(share, abs=0.04)


# Splits


def test_no_name_is_in_both_splits_or_part_of_another() -> None:
    train, test = (set(NAMES[s]["she"] + NAMES[s]["he"]) for s in ("train", "test"))
    names = train | test
    assert len(names) == len(train) + len(test)
    assert not [(a, b) for a in names for b in names if a != b and a in b]
    assert min(len(NAMES[s][he]) for s in NAMES for he in NAMES[s]) >= 20


def test_every_question_names_its_own_split_and_never_the_other(tasks) -> None:
    """With disjoint names this proves that no text can be in both splits."""
    names = {split: set(by["she"] + by["he"]) for split, by in NAMES.items()}
    for split, other in (("train", "test"), ("test", "train")):
        for task in tasks[split]:
            words = set(re.findall(r"[A-Z][a-z]+", task.question))
            assert words & names[split], task.question
            assert not words & names[other], task.question


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_all_wordings_of_a_template_name_somebody_and_differ(template) -> None:
    """Also those that a sample might miss: two or more for training, one held out for test."""
    for seed in range(30):
        draw = Draw(random.Random(seed), "test")
        wordings = template.write(draw)
        texts = [*wordings.train, *wordings.test]
        assert len(wordings.train) >= 2
        assert len(wordings.test) >= 1
        assert len(set(texts)) == len(texts)
        for text in texts:
            assert any(
                re.search(rf"\b{name}\b", text)
                for name in NAMES["test"]["she"] + NAMES["test"]["he"]
            )
        assert len(draw.lines) == template.steps


def test_sentences_of_test_never_occur_in_train(tasks) -> None:
    def sentences(split: str) -> set[str]:
        names = "|".join(NAMES[split]["she"] + NAMES[split]["he"])
        return {
            re.sub(
                rf"\b(?:{names})\b|\d+(?:\.\d+)?|\b(?:he|she|his|her|him|He|She|His|Her)\b",
                "#",
                t.question,
            )
            for t in tasks[split]
            if not t.metadata["distractor"]
        }

    assert not sentences("train") & sentences("test")


def test_the_arithmetic_of_a_template_belongs_to_one_split(tasks) -> None:
    def arithmetic(split: str) -> set[tuple[str, ...]]:
        return {
            (task.metadata["template"], *(found[0] for found in ANNOTATION.findall(task.solution)))
            for task in tasks[split]
        }

    train, test = arithmetic("train"), arithmetic("test")
    assert not train & test
    assert min(len(train), len(test)) > 8_000


# Difficulty and variety


@pytest.mark.parametrize("steps", range(1, 7))
def test_difficulty_is_the_number_of_steps(steps) -> None:
    problems = SyntheticMath(difficulty=steps)
    assert {problems[index].metadata["steps"] for index in range(50)} == {steps}


def test_difficulty_range_includes_both_ends() -> None:
    problems = SyntheticMath(difficulty=(2, 4))
    assert {problems[index].metadata["steps"] for index in range(200)} == {2, 3, 4}


def test_every_template_is_about_equally_frequent(tasks) -> None:
    assert len(TEMPLATES) >= 60
    assert len({template.name for template in TEMPLATES}) == len(TEMPLATES)
    for split in ("train", "test"):
        counts = Counter(task.metadata["template"] for task in tasks[split])
        expected = 10_000 / len(TEMPLATES)
        assert set(counts) == {template.name for template in TEMPLATES}
        assert 0.6 * expected < min(counts.values())
        assert max(counts.values()) < 1.4 * expected


@pytest.mark.parametrize("split", ["train", "test"])
def test_of_10_000_problems_99_percent_are_distinct(split, tasks) -> None:
    assert len({task.question for task in tasks[split]}) >= 9_900


# The same task everywhere


def test_first_thousand_tasks_are_the_recorded_ones() -> None:
    digest = hashlib.sha256()
    for split in ("train", "test"):
        problems = SyntheticMath(split)
        for task in (problems[index] for index in range(1_000)):
            row = [task.question, task.answers, task.solution, dict(task.metadata)]
            digest.update(json.dumps(row, sort_keys=True).encode())
    assert digest.hexdigest()[:16] == GOLDEN


@given(index=st.integers(0, 2**31 - 2), seed=st.integers())
@settings(max_examples=100, deadline=None)
def test_a_task_depends_on_its_arguments_alone(index, seed) -> None:
    problems = SyntheticMath(seed=seed)
    again = pickle.loads(pickle.dumps(problems))
    random.seed(0)
    state = random.getstate()
    task = problems[index]
    assert random.getstate() == state
    assert again[index] == task == SyntheticMath("test", seed)[np.int64(index)]
    assert (task.index, task.dataset, task.split) == (index, "synthetic_math", "test")
    assert json.loads(json.dumps(dict(task.metadata))) == task.metadata
    assert task.metadata["seed"] == seed


def test_another_seed_or_index_is_another_problem() -> None:
    questions = {SyntheticMath(seed=seed)[i].question for seed in range(10) for i in range(10)}
    assert len(questions) == 100


def test_fingerprint_tells_settings_apart() -> None:
    different = [
        SyntheticMath(),
        SyntheticMath("train"),
        SyntheticMath(seed=1),
        SyntheticMath(difficulty=3),
        SyntheticMath(difficulty=(2, 3)),
        SyntheticMath(distractors=0.5),
    ]
    assert len({problems.fingerprint for problems in different}) == len(different)
    assert SyntheticMath().fingerprint == SyntheticMath("test", 0, (1, 6), 0.25).fingerprint


def test_length_is_the_bound_of_the_index() -> None:
    problems = SyntheticMath()
    assert len(problems) == 2**31 - 1
    assert problems[len(problems) - 1].question
    for index in (-1, len(problems)):
        with pytest.raises(IndexError, match="from 0 to 2147483646"):
            problems[index]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param({"split": "dev"}, "'dev'", id="split"),
        pytest.param({"seed": 1.5}, "integer seed, got 1.5", id="seed"),
        pytest.param({"seed": True}, "integer seed, got True", id="bool-seed"),
        pytest.param({"difficulty": 0}, "1 to 6.*got 0", id="difficulty-0"),
        pytest.param({"difficulty": 7}, "1 to 6.*got 7", id="difficulty-7"),
        pytest.param({"difficulty": (3, 2)}, r"got \(3, 2\)", id="range-upside-down"),
        pytest.param({"difficulty": (1, 2, 3)}, r"got \(1, 2, 3\)", id="range-of-three"),
        pytest.param({"difficulty": "hard"}, "got 'hard'", id="difficulty-word"),
        pytest.param({"difficulty": 2.0}, "got 2.0", id="difficulty-float"),
        pytest.param({"difficulty": True}, "got True", id="difficulty-bool"),
        pytest.param({"distractors": 1.5}, r"\[0, 1\], got 1.5", id="distractors"),
        pytest.param({"distractors": float("nan")}, r"\[0, 1\], got nan", id="nan"),
        pytest.param({"distractors": "all"}, "got 'all'", id="distractors-word"),
    ],
)
def test_unusable_arguments_say_what_was_expected(arguments, expected) -> None:
    with pytest.raises(ArgumentError, match=expected):
        SyntheticMath(**arguments)


def test_an_index_that_is_no_integer_raises_at_once() -> None:
    with pytest.raises(TypeError):
        SyntheticMath()[0.5]  # type: ignore[index]

"""How graders treat right and wrong answers to GSM8K in ordinary written forms: a Markdown table.

Run from the repository's root, with any of the peers installed that shall have a column
(`gem-llm`, `skyrl-gym`, `reasoning-gym`; what cannot be imported is left out and named):

    python benchmarks/graders.py [--n 1319]

Each gold answer of the GSM8K test split is written in each form and given to each grader
in the frame that it asks for. A cell is the share of answers accepted, in percent.
"""

from __future__ import annotations

import argparse
import datetime
import importlib
import importlib.metadata
import json
import os
import platform
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from react_envs.rewards import extract_number, numeric_match  # noqa: E402

DATA = Path(os.environ.get("REACT_ENVS_DATA", ROOT.parent / "shared" / "data"))

Form = Callable[[int], str]
Grader = Callable[[str, str], bool]

TRUE_FORMS: dict[str, Form] = {
    "N": str,
    "N.0": lambda n: f"{n}.0",
    "$N": lambda n: f"${n}",
    "1,000": lambda n: f"{n:,}",
    "$1,000.00": lambda n: f"${n:,}.00",
    "N dollars": lambda n: f"{n} dollars",
    "N eggs": lambda n: f"{n} eggs",
    "\\*\\*N\\*\\*": lambda n: f"**{n}**",
    "x = N": lambda n: f"x = {n}",
    "The answer is N.": lambda n: f"The answer is {n}.",
}
WRONG_FORMS: dict[str, Form] = {
    "N+1": lambda n: str(n + 1),
    "N × 1.005": lambda n: repr(n * 1.005),
    "10 N": lambda n: str(10 * n),
    "not N": lambda n: f"not {n}",
    "N or N+1": lambda n: f"{n} or {n + 1}",
    "N+1 or N": lambda n: f"{n + 1} or {n}",
}


def ours() -> Grader:
    return lambda answer, gold: numeric_match(answer, [gold]) == 1.0


def gem() -> Grader:
    """GEM's MathEnv: the answer in a box, `fast=False` as that environment sets it."""
    grader = importlib.import_module("gem.utils.math_grader")

    def grade(answer: str, gold: str) -> bool:
        _, reward = grader.boxed_reward_fn(
            rf"\boxed{{{answer}}}", gold, fast=False, correct_reward=1, incorrect_reward=0
        )
        return float(reward) == 1.0

    return grade


def skyrl() -> Grader:
    """SkyRL-gym's GSM8K environment: `#### answer`, strict."""
    score = importlib.import_module("skyrl_gym.envs.gsm8k.utils").compute_score
    return lambda answer, gold: bool(score(f"#### {answer}", gold, method="strict") == 1.0)


def reasoning_gym() -> Grader:
    """reasoning-gym's GSM data set; it gives 0.01 for any readable wrong number."""
    library = importlib.import_module("reasoning_gym")
    dataset = library.create_dataset("gsm_symbolic", size=1, seed=0)
    return lambda answer, gold: bool(dataset.score_answer(answer, {"answer": gold}) == 1.0)


PEERS: dict[str, tuple[str, Callable[[], Grader]]] = {
    "GEM": ("gem-llm", gem),
    "SkyRL-gym": ("skyrl-gym", skyrl),
    "reasoning-gym": ("reasoning-gym", reasoning_gym),
}


def load(n: int) -> list[dict[str, str]]:
    file = DATA / "gsm8k" / "test.jsonl"
    if not file.exists():
        sys.exit(f"{file} is absent; set REACT_ENVS_DATA to the folder that holds gsm8k/")
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()][:n]


def gold_of(row: dict[str, str]) -> str:
    return row["answer"].rpartition("####")[2].strip().replace(",", "")


def share(grader: Grader, form: Form, golds: list[str]) -> str:
    return f"{100 * sum(grader(form(int(g)), g) for g in golds) / len(golds):.1f}"


def print_forms(graders: dict[str, Grader], golds: list[str]) -> None:
    print("| form | " + " | ".join(graders) + " |")
    print("|---|" + "---:|" * len(graders))
    seconds = dict.fromkeys(graders, 0.0)
    for wrong, forms in ((False, TRUE_FORMS), (True, WRONG_FORMS)):
        for name, form in forms.items():
            cells = []
            for column, grader in graders.items():
                started = time.process_time()
                cells.append(share(grader, form, golds))
                seconds[column] += time.process_time() - started
            print(f"| {'*wrong*: ' if wrong else ''}{name} | " + " | ".join(cells) + " |")
    calls = len(golds) * (len(TRUE_FORMS) + len(WRONG_FORMS))
    times = (f"{1e6 * seconds[column] / calls:.0f}" for column in graders)
    print("| CPU µs per answer | " + " | ".join(times) + " |")


def print_prose(rows: list[dict[str, str]]) -> None:
    """The last line of each human solution, graded as it stands."""
    counts = {"ours": [0, 0, 0], "last number": [0, 0, 0]}
    for row in rows:
        gold = gold_of(row)
        solution = re.sub(r"<<.*?>>", "", row["answer"].rpartition("####")[0])
        line = solution.strip().splitlines()[-1]
        numbers = re.findall(r"-?\d[\d,]*\.?\d*", line)
        for rule, text in (("ours", line), ("last number", numbers[-1] if numbers else "")):
            if extract_number(text) is None:
                counts[rule][2] += 1
            else:
                counts[rule][0 if numeric_match(text, [gold]) else 1] += 1
    print("| rule | right | wrong | no number |\n|---|---:|---:|---:|")
    for rule, (right, wrong, none) in counts.items():
        print(f"| {rule} | {right} | {wrong} | {none} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=1319, help="answers, from the first (1 to 1319)")
    n = parser.parse_args().n
    if not 1 <= n <= 1319:
        parser.error(f"expected --n from 1 to 1319, got {n}")
    rows = load(n)
    # 0 is left out: of 0, the forms 10 N and N × 1.005 are right.
    golds = [gold for gold in map(gold_of, rows) if gold != "0"]
    graders, absent, versions = {"ours": ours()}, [], []
    for name, (distribution, make) in PEERS.items():
        try:
            graders[name] = make()
            versions.append(f"{distribution} {importlib.metadata.version(distribution)}")
        except ImportError as error:
            absent.append(f"{distribution} ({error})")
    print(f"GSM8K test, first {n} problems, {len(golds)} answers that are not 0; ", end="")
    print(f"Python {platform.python_version()}; {datetime.date.today()}", end="")
    print("".join(f"; {version}" for version in versions) + ".")
    if absent:
        print(f"Not importable here: {', '.join(absent)}.")
    print("\nAnswers accepted, in percent (true forms should be 100, wrong ones 0):\n")
    print_forms(graders, golds)
    print("\nThe last line of each human solution, annotations removed, as an answer:\n")
    print_prose(rows)


if __name__ == "__main__":
    main()

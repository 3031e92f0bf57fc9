"""What learning from tools looks like at the size of a laptop: AutoCoA's conclusions in miniature.

`python benchmarks/learning.py --out runs/learning` trains small models from scratch, three seeds
each, and prints the tables of benchmarks/README.md with standard errors over the seeds.
`--only sft_and_rl chains` runs some of the experiments; what is in `--out` already is not run
again. All of it takes about 50 CPU-minutes; two processes with different `--only` share a folder.

Experiments:

- `sft_and_rl`: RL from a model that knows the format alone, SFT, SFT then RL (arithmetic);
- `chains`: lessons of one hop against lessons of one and two hops, each with RL on both (wiki);
- `masks`: observations masked or learned in SFT: success, simulator, faithfulness (wiki);
- `lying`: the same on arithmetic, with a tool that adds 7 to its results;
- `simulated`: RL with the model as its own tool, then the real one, against the real one alone;
- `rl_masks`: observations masked or wrongly reinforced in RL (arithmetic and wiki).
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from react_envs.agents.learners import (
    GRPO,
    SFT,
    Evaluator,
    scaffolds,
    simulator_fidelity,
    small_model,
    small_tokenizer,
    teach,
)
from react_envs.agents.learners.autocoa import WORLD, FactWorld, text_of, wiki
from react_envs.agents.learners.quickstart import HELD_OUT, RL_FIRST, WATCHED, problems
from react_envs.agents.policies import make_policy
from react_envs.agents.policies.hf import HFPolicy
from react_envs.rewards import exact_match
from react_envs.rollout import EpisodeRecord
from react_envs.simulators import ContinuingSimulator
from react_envs.trace import Sample

N = 150
TASKS = range(HELD_OUT, HELD_OUT + N)
"""Measured on, and used for nothing else."""
WATCH = range(WATCHED, WATCHED + N)
"""Say when lessons are enough, so that what is measured does not choose its moment."""
RL_TASKS = range(RL_FIRST, WATCHED)
Row = dict[str, Any]


def hops(low: int, high: int, **options: Any) -> gym.Env[str, str]:
    """Fresh worlds with questions of some hops."""
    return wiki(world={**WORLD, "hops": [low, high]}, **options)


class Classroom:
    """A tokenizer and lessons for one kind of environment, shared by all models of this process."""

    def __init__(self, width: int, phrases: Any, texts: Sequence[str], vocabulary: int) -> None:
        self.width = width
        self.tokenizer = small_tokenizer(texts, phrases, vocabulary)

    def model(self, seed: int) -> Any:
        return small_model(self.tokenizer, self.width, seed=seed)

    def lessons(
        self, env: gym.Env[str, str], indices: Sequence[int], thoughts: str
    ) -> list[Sample]:
        oracle = make_policy("oracle", env, thoughts=thoughts)
        return teach(env, oracle, self.tokenizer, indices, progress="lessons").samples

    def measure(
        self, model: Any, make: Callable[[], gym.Env[str, str]], indices: Sequence[int]
    ) -> tuple[dict[str, float], list[EpisodeRecord]]:
        evaluate = Evaluator(model, self.tokenizer, make, indices, max_new_tokens=32)
        result = evaluate()
        evaluate.close()
        return result, evaluate.records

    def reinforce(
        self,
        model: Any,
        make: Callable[[], gym.Env[str, str]],
        updates: int,
        seed: int,
        **options: Any,
    ) -> dict[str, float]:
        """GRPO; means over its last ten updates."""
        learner = GRPO(
            model, self.tokenizer, make, steps=updates, seed=seed,
            **{"indices": RL_TASKS, "max_new_tokens": 32, **options},
        )  # fmt: skip
        rows = [learner.update(step) for step in range(updates)]
        learner.close()
        return {name: float(np.mean([row[name] for row in rows[-10:]])) for name in rows[0]}


def teach_until(
    model: Any,
    samples: Sequence[Sample],
    measure: Callable[[], float],
    *,
    target: float = 0.75,
    steps: int = 400,
    first: int = 150,
    seed: int = 0,
    **options: Any,
) -> tuple[int, float]:
    """SFT until greedy exact match reaches the target; updates done and exact match."""
    learner = SFT(model, samples, steps=steps, seed=seed, **options)
    em = 0.0
    for step in range(1, steps + 1):
        learner.update(step - 1)
        if step == steps or (step >= first and step % 25 == 0):
            em = measure()
            if em >= target:
                break
    return step, em


@cache
def arithmetic() -> tuple[Classroom, list[Sample]]:
    env = problems()
    tasks: Any = env.unwrapped.tasks  # type: ignore[attr-defined]
    texts = [f"{tasks[i].question}\nprint( + - * / )" for i in range(3000)]
    room = Classroom(64, scaffolds(env), texts, 1500)
    return room, room.lessons(env, range(3000), "none")


@cache
def encyclopedia() -> tuple[Classroom, list[Sample]]:
    env = hops(1, 2)
    tasks: Any = env.unwrapped.tasks  # type: ignore[attr-defined]
    room = Classroom(128, scaffolds(env), [text_of(tasks, i) for i in range(400)], 1500)
    return room, room.lessons(env, range(6000), "evidence")


def format_only(samples: Sequence[Sample]) -> list[Sample]:
    """Lessons whose questions are those of others: the form is right, the content is chance."""
    prompts = [int((sample.turn < 0).sum()) for sample in samples]
    order = [*range(1, len(samples)), 0]
    mixed = []
    for sample, length, other in zip(samples, prompts, order, strict=True):
        theirs, start = samples[other], prompts[other]
        parts = {
            name: np.concatenate([getattr(theirs, name)[:start], getattr(sample, name)[length:]])
            for name in ("ids", "source", "turn", "logprob")
        }
        mixed.append(replace(sample, turns=(), **parts))
    return mixed


def sft_and_rl(seed: int) -> list[Row]:
    room, samples = arithmetic()
    rows: list[Row] = []

    def measure(model: Any) -> dict[str, float]:
        return room.measure(model, problems, TASKS)[0]

    def add(start: str, then: str, updates: int, result: dict[str, float]) -> None:
        rows.append({"start": start, "then": then, "updates": updates, **picked(result)})

    model = room.model(seed)
    learner = SFT(model, format_only(samples), steps=150, seed=seed)
    for step in range(150):
        learner.update(step)
    add("format only", "-", 150, measure(model))
    quiet(lambda: room.reinforce(model, problems, 60, seed))
    add("format only", "RL", 60, measure(model))

    model = room.model(seed)
    steps, _ = teach_until(model, samples, partial(em_of, room, model, problems, WATCH), seed=seed)
    add("SFT", "-", steps, measure(model))
    taught = copy.deepcopy(model)
    quiet(lambda: room.reinforce(model, problems, 60, seed))
    add("SFT", "RL", 60, measure(model))
    more = SFT(taught, samples, steps=60, seed=seed + 100, lr=2e-3, warmup=10)
    for step in range(60):
        more.update(step)
    add("SFT", "more SFT", 60, measure(taught))
    return rows


def chains(seed: int) -> list[Row]:
    room, samples = encyclopedia()
    one = room.lessons(hops(1, 1), range(3000), "evidence")
    rows = []
    for name, lessons in (("1 hop", one), ("1 and 2 hops", samples)):
        model = room.model(seed)
        held = partial(hops, 1, 1) if name == "1 hop" else partial(hops, 1, 2)
        steps, _ = teach_until(model, lessons, partial(em_of, room, model, held, WATCH), seed=seed)
        for then, updates in (("-", steps), ("RL on 1 and 2 hops", 40)):
            if then != "-":
                quiet(partial(room.reinforce, model, partial(hops, 1, 2), 40, seed))
            first = room.measure(model, partial(hops, 1, 1), TASKS)[0]
            second = room.measure(model, partial(hops, 2, 2), TASKS)[0]
            rows.append(
                {
                    "lessons": name, "then": then, "updates": updates, "em_1_hop": first["em"],
                    "em_2_hops": second["em"], "calls_2_hops": second["calls"],
                }
            )  # fmt: skip
    return rows


def masks(seed: int) -> list[Row]:
    """Fresh worlds for success, the fixed one for the simulator and for who believes its tool."""
    room, samples = encyclopedia()
    world = FactWorld()
    fixed = partial(wiki, fixed=True)
    lessons = room.lessons(fixed(), [*world.train, *world.known], "evidence") * 10
    questions = [*world.held_out, *world.held_known]
    rows = []
    for name, owners in (("masked", ("agent",)), ("learned", ("agent", "env"))):
        fresh_model = room.model(seed)
        row: Row = {"observations": name}
        learner = SFT(fresh_model, samples, train=owners, steps=400, seed=seed)
        for step in range(1, 301):
            learner.update(step - 1)
            if step in (200, 225, 250, 300):
                em = room.measure(fresh_model, partial(hops, 1, 2), TASKS)[0]["em"]
                row[f"fresh_{step}"] = em
        _, lied = room.measure(fresh_model, partial(hops, 1, 2, simulate="lying"), TASKS)
        row["fresh_follows_lie"] = follows(lied)
        model = room.model(seed)
        learner = SFT(model, lessons, train=owners, steps=300, seed=seed)
        for step in range(1, 301):
            learner.update(step - 1)
            if step in (150, 300):
                row[f"simulator_{step}"] = exactness(room, model, fixed, questions[:40])
        row["fixed"] = room.measure(model, fixed, questions)[0]["em"]
        _, lied = room.measure(model, partial(fixed, simulate="lying"), questions)
        row["fixed_follows_lie"] = follows(lied)
        row["fixed_from_memory"] = remembers(lied)
        row["fresh_by_fixed"] = room.measure(model, partial(hops, 1, 2), TASKS)[0]["em"]
        rows.append(row)
    return rows


def lying(seed: int) -> list[Row]:
    """Arithmetic: results cannot be known by heart, so only a liar's reader gives itself away."""
    room, samples = arithmetic()
    rows = []
    for name, owners in (("masked", ("agent",)), ("learned", ("agent", "env"))):
        model = room.model(seed)
        learner = SFT(model, samples, train=owners, steps=400, seed=seed)
        for step in range(350):
            learner.update(step)
        _, lied = room.measure(model, partial(problems, simulate="lying"), TASKS)
        rows.append(
            {
                "observations": name,
                "em": em_of(room, model, problems, TASKS),
                "simulator": exactness(room, model, problems, TASKS[:60], "none"),
                "follows_lie": follows(lied),
                "true_all_the_same": remembers(lied),
            }
        )
    return rows


def exactness(
    room: Classroom, model: Any, make: Any, indices: Sequence[int], thoughts: str = "evidence"
) -> float:
    policy = HFPolicy(model, room.tokenizer, mode="completion", max_new_tokens=48, temperature=0)
    simulator = ContinuingSimulator(policy)
    return simulator_fidelity(simulator, make, indices, room.tokenizer, thoughts=thoughts).exact


def follows(records: Sequence[EpisodeRecord]) -> float:
    """Share of answered episodes whose answer stands in the last result."""
    given = [r for r in records if r.answer is not None and r.calls]
    return mean([float(stands_in(r.answer or "", last_result(r))) for r in given])


def remembers(records: Sequence[EpisodeRecord]) -> float:
    """Share of answered episodes whose answer is true though the last result did not say it."""
    given = [r for r in records if r.answer is not None and r.calls]
    return mean(
        [
            float(
                exact_match(r.answer or "", r.gold)
                and not stands_in(r.answer or "", last_result(r))
            )
            for r in given
        ]
    )


def last_result(record: EpisodeRecord) -> str:
    return next((t.tool_result for t in reversed(record.turns) if t.tool_result), "")


def stands_in(answer: str, text: str) -> bool:
    return answer.strip() in {word.rstrip(".") for word in text.split()}


def simulated(seed: int) -> list[Row]:
    """From a model that knows the fixed world half: what its own simulation is worth."""
    room, samples = encyclopedia()
    world = FactWorld()
    fixed = partial(wiki, fixed=True)
    known = [*world.train, *world.known]
    lessons = room.lessons(fixed(), known, "evidence")
    questions = [*world.held_out, *world.held_known]
    base = room.model(seed)
    watch = partial(em_of, room, base, partial(hops, 1, 2), WATCH)
    mixed = samples + lessons * 10
    random.Random(seed).shuffle(mixed)
    teach_until(base, mixed, watch, target=0.5, train=("agent", "env"), seed=seed)
    rows = []

    def arm(name: str, *parts: tuple[str, int]) -> None:
        model = copy.deepcopy(base)
        calls = {"simulated": 0.0, "real": 0.0}
        for kind, updates in parts:
            make: Any = fixed
            if kind == "simulated":
                policy = HFPolicy(
                    model, room.tokenizer, mode="completion", max_new_tokens=48, temperature=0
                )
                make = partial(fixed, simulate=ContinuingSimulator(policy))
            means = quiet(partial(room.reinforce, model, make, updates, seed, indices=known))
            calls[kind] += means["calls"] * updates * 64
        rows.append(
            {
                "arm": name,
                "simulated_calls": round(calls["simulated"]),
                "real_calls": round(calls["real"]),
                "em_fixed": room.measure(model, fixed, questions)[0]["em"],
                "em_fresh": em_of(room, model, partial(hops, 1, 2), TASKS),
                "simulator": exactness(room, model, fixed, questions[:40]),
            }
        )

    arm("start")
    arm("simulated 40", ("simulated", 40))
    arm("simulated 40, real 8", ("simulated", 40), ("real", 8))
    arm("real 8 (equal real calls)", ("real", 8))
    arm("real 48 (equal updates)", ("real", 48))
    return rows


def rl_masks(seed: int) -> list[Row]:
    rows = []
    settings: list[tuple[str, Any, Any, float]] = [
        ("arithmetic", arithmetic, problems, 0.75),
        ("fresh wiki", encyclopedia, partial(hops, 1, 2), 0.6),
    ]
    for task, lessons_of, make, target in settings:
        room, samples = lessons_of()
        base = room.model(seed)
        watch = partial(em_of, room, base, make, WATCH)
        teach_until(base, samples, watch, target=target, seed=seed)
        em = em_of(room, base, make, TASKS)
        for name, owners in (("masked", ("agent",)), ("reinforced", ("agent", "env"))):
            model = copy.deepcopy(base)
            learn = partial(room.reinforce, model, make, 60, seed, train=owners, lr=2e-4)
            last = quiet(learn)
            result = room.measure(model, make, TASKS)[0]
            rows.append(
                {
                    "task": task, "observations": name, "em_before": em, "em_after": result["em"],
                    "format": result["format"], "calls": result["calls"],
                    "entropy": last["entropy"],
                }
            )  # fmt: skip
    return rows


EXPERIMENTS: dict[str, Callable[[int], list[Row]]] = {
    "sft_and_rl": sft_and_rl,
    "chains": chains,
    "masks": masks,
    "lying": lying,
    "simulated": simulated,
    "rl_masks": rl_masks,
}


def em_of(room: Classroom, model: Any, make: Any, tasks: Sequence[int]) -> float:
    return room.measure(model, make, tasks)[0]["em"]


def picked(result: dict[str, float]) -> dict[str, float]:
    return {name: result[name] for name in ("em", "format", "calls")}


def quiet(run: Callable[[], Any]) -> Any:
    """Collapse is a result here, not a warning."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return run()


def mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else 0.0


def tables(out: Path) -> None:
    """Means and standard errors over the seeds that are there."""
    console = Console(width=150)
    for name in EXPERIMENTS:
        runs = [json.loads(p.read_text()) for p in sorted(out.glob(f"{name}-*.json"))]
        if not runs:
            continue
        cpu = mean([run["cpu_s"] for run in runs])
        table = Table(title=f"{name}: {len(runs)} seeds, {cpu:.0f} CPU-s each")
        first = runs[0]["rows"]
        for column in first[0]:
            table.add_column(column)
        for at, row in enumerate(first):
            cells = []
            for column, value in row.items():
                values = [run["rows"][at][column] for run in runs]
                cells.append(value if isinstance(value, str) else with_error(values))
            table.add_row(*cells)
        console.print(table)


def with_error(values: Sequence[float]) -> str:
    error = np.std(values, ddof=1) / math.sqrt(len(values)) if len(values) > 1 else 0.0
    if max(map(abs, values)) > 20:
        return f"{np.mean(values):.0f}"
    return f"{np.mean(values):.3f} ± {error:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--out", type=Path, default=Path("runs/learning"))
    parser.add_argument("--only", nargs="*", choices=list(EXPERIMENTS), default=list(EXPERIMENTS))
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2])
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    arguments.out.mkdir(parents=True, exist_ok=True)
    for seed in arguments.seeds:
        for name in arguments.only:
            path = arguments.out / f"{name}-{seed}.json"
            if path.exists():
                continue
            began, cpu = time.perf_counter(), time.process_time()
            rows = EXPERIMENTS[name](seed)
            took = {
                "wall_s": time.perf_counter() - began,
                "cpu_s": time.process_time() - cpu,
            }
            path.write_text(json.dumps({"seed": seed, "rows": rows, **took}, indent=1) + "\n")
            print(f"{name} seed {seed}: {took['cpu_s']:.0f} CPU-s", flush=True)
    tables(arguments.out)


if __name__ == "__main__":
    main()

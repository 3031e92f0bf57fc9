"""The command `react-envs`: list, demo, eval, validate; index and serve-retrieval elsewhere.

What only some commands need is imported where they do: a retrieval server starts without it.
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import sys
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium as gym
from gymnasium.envs.registration import load_env_creator
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

import react_envs
from react_envs.cli_retrieval import add_commands
from react_envs.cli_train import add_train
from react_envs.errors import ArgumentError, ReactEnvsError
from react_envs.registration import ENTRY_POINTS, IDS

if TYPE_CHECKING:
    from react_envs.rollout import Policy

__all__ = ["main"]

AGENTS = "oracle, thinker, replay, programs, scripted, hf, openai"
"""The names in `agents.policies.POLICIES`."""

EPISODES_OF_AN_ENDLESS_SPLIT = 100


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status: 0 done, 1 not all well, 2 wrong usage, 130 interrupted."""
    options = _parser().parse_args(arguments)
    console = Console(stderr=True)
    try:
        return int(options.run(options, console))
    except (ReactEnvsError, gym.error.Error, OSError) as error:
        console.print(f"[red]error:[/red] {type(error).__name__}: ", end="")
        console.print(str(error), markup=False, highlight=False, soft_wrap=True)
        return 2
    except KeyboardInterrupt:
        console.print("interrupted; what had finished is kept: go on with --resume")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="react-envs", description=react_envs.__doc__.split("\n")[0]
    )
    parser.add_argument("--version", action="version", version=react_envs.__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    listing = commands.add_parser("list", help="the environments and where their data come from")
    listing.set_defaults(run=_list)

    demo = commands.add_parser("demo", help="play one episode and print it")
    _environment(demo, optional=True)
    _agent(demo)
    demo.add_argument("--index", type=int, default=0, help="task to play (default: 0)")
    demo.add_argument("--seed", type=int, default=0)
    demo.set_defaults(run=_demo)

    evaluation = commands.add_parser("eval", help="play many episodes and write results")
    _environment(evaluation)
    _agent(evaluation)
    evaluation.add_argument("--n", type=int, help="number of tasks (default: the whole split)")
    evaluation.add_argument("--start", type=int, default=0, help="index of the first task")
    evaluation.add_argument("--seed", type=int, default=0)
    evaluation.add_argument("--concurrency", type=int, default=2, help="episodes at once")
    evaluation.add_argument("--out", required=True, help="folder for results and summary")
    evaluation.add_argument("--resume", action="store_true", help="go on where a run stopped")
    evaluation.set_defaults(run=_eval)

    validation = commands.add_parser(
        "validate", help="check that every gold answer scores 1.0 and a wrong one 0.0"
    )
    _environment(validation)
    validation.add_argument("--n", type=int, help="number of tasks (default: the whole split)")
    validation.set_defaults(run=_validate)

    add_commands(commands)
    add_train(commands)
    return parser


def _environment(parser: argparse.ArgumentParser, optional: bool = False) -> None:
    ids = ", ".join(IDS)
    if optional:
        parser.add_argument("id", nargs="?", default=next(iter(IDS)), metavar="ID", help=ids)
    else:
        parser.add_argument("id", metavar="ID", help=ids)
    parser.add_argument("--split", help="split of the data set (default: see `react-envs list`)")
    parser.add_argument("--data", help="file or folder to read a published split from")
    parser.add_argument("--dialect", help="how calls are written, such as react or hermes")
    parser.add_argument("--reward", help="a reward preset, such as exact_match")
    parser.add_argument("--max-steps", type=int, help="turns until an episode is truncated")
    parser.add_argument(
        "--env-args", type=_json_object, default={}, metavar="JSON", help="more keywords of the id"
    )


def _agent(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--agent", default="oracle", help=f"{AGENTS}, or module:function")
    parser.add_argument("--model", help="hf: path or hub name; openai: the model's name")
    parser.add_argument("--base-url", help="openai: address of the server, with /v1")
    parser.add_argument(
        "--agent-args", type=_json_object, default={}, metavar="JSON", help="more agent options"
    )


def _json_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"expected a JSON object, got {text}: {error}") from error
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError(f"expected a JSON object, got {text}")
    return value


def _make(options: argparse.Namespace, **more: Any) -> gym.Env[str, str]:
    arguments = {**_env_arguments(options), **more}
    entry_point = ENTRY_POINTS.get(options.id, "react_envs.registration:make_env")
    known = inspect.signature(load_env_creator(entry_point)).parameters
    unknown = sorted(set(arguments) - set(known))
    if options.id in IDS and unknown:
        raise ArgumentError(f"{options.id} does not take {unknown}; it takes: {', '.join(known)}")
    env: gym.Env[str, str] = gym.make(options.id, **arguments)
    return env


def _make_agent(options: argparse.Namespace, env: gym.Env[str, str]) -> Policy:
    from react_envs.agents.policies import make_policy

    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())  # so that `module:function` finds a file here
    return make_policy(options.agent, env, **_agent_arguments(options))


def _env_arguments(options: argparse.Namespace) -> dict[str, Any]:
    names = ("split", "data", "dialect", "reward", "max_steps")
    given = {name: getattr(options, name) for name in names}
    return {**{name: v for name, v in given.items() if v is not None}, **options.env_args}


def _agent_arguments(options: argparse.Namespace) -> dict[str, Any]:
    given = {"model": options.model, "base_url": options.base_url}
    return {**{name: v for name, v in given.items() if v is not None}, **options.agent_args}


def _list(options: argparse.Namespace, console: Console) -> int:
    from react_envs.tasks import DATASETS

    table = Table(title="react-envs environments")
    table.add_column("id", no_wrap=True)
    for column in ("default split", "published splits", "graded as", "source"):
        table.add_column(column)
    for env_id, arguments in IDS.items():
        dataset = DATASETS.get(arguments["dataset"])
        if dataset is None:
            table.add_row(env_id, arguments["split"], "-", "text", "generated")
            continue
        splits = ", ".join(dataset.files)
        source = dataset.hub[0] if dataset.hub else "file only"
        table.add_row(env_id, arguments["split"], splits, dataset.grader, source)
    Console().print(table)
    return 0


def _demo(options: argparse.Namespace, console: Console) -> int:
    from react_envs.rollout import play

    env = _make(options, render_mode="ansi")
    policy = _make_agent(options, env)
    _indices(env, options.index, 1)
    record = play(env, policy, options.index, options.seed)
    out = Console()
    out.print(env.render(), markup=False, highlight=False, soft_wrap=True)
    env.close()
    if record.error:
        console.print(f"[red]{record.error['type']}[/red]: {record.error['message']}")
        return 1
    out.print(f"gold: {', '.join(record.gold)}", markup=False)
    terms = "  ".join(f"{name} {value:g}" for name, value in record.reward_terms.items())
    out.print(f"reward: {record.reward:g}   ({terms})   stop: {record.stop_reason}", markup=False)
    return 0


def _eval(options: argparse.Namespace, console: Console) -> int:
    from react_envs.evaluation import evaluate

    env = _make(options)
    indices = _indices(env, options.start, options.n)
    policy = _make_agent(options, env)
    tasks = env.get_wrapper_attr("tasks")
    settings = {
        "id": options.id,
        "env": dict(env.spec.kwargs) if env.spec else {},
        "agent": options.agent,
        "agent_args": {k: v for k, v in _agent_arguments(options).items() if k != "api_key"},
        "start": options.start,
        "n": len(indices),
        "seed": options.seed,
        "fingerprint": tasks.fingerprint,
        "version": react_envs.__version__,
    }
    env.close()
    with _progress(console) as progress:
        bar = progress.add_task(options.id, total=len(indices), score="")
        right = ended = 0.0

        def advance(record: Any) -> None:
            nonlocal right, ended
            if record["error"] is None:
                ended += 1
                right += record["reward_terms"].get("exact_match", 0.0)
            progress.update(bar, advance=1, score=f"score {right / max(ended, 1):.3f}")

        summary = evaluate(
            lambda: _make(options),
            policy,
            indices,
            options.out,
            settings=settings,
            seed=options.seed,
            concurrency=options.concurrency,
            resume=options.resume,
            on_episode=advance,
        )
    _print_summary(summary, options.out)
    return 0 if summary["complete"] else 1


def _indices(env: gym.Env[str, str], start: int, n: int | None) -> range:
    size = len(env.get_wrapper_attr("tasks"))
    if n is None:
        endless = size > 10**6
        n = EPISODES_OF_AN_ENDLESS_SPLIT if endless else size - start
    if n < 1 or start < 0 or start + n > size:
        raise ArgumentError(
            f"the split has {size} tasks; {n} from index {start} on are not a part of it"
        )
    return range(start, start + n)


def _print_summary(summary: dict[str, Any], out: str) -> None:
    table = Table(title=f"{summary['dataset']} / {summary['split']}", show_header=False)
    low, high = summary["score_interval_95"] or (float("nan"), float("nan"))
    rows = {
        "episodes": f"{summary['episodes']} ({summary['errors']} errors)",
        "score (exact match)": f"{summary['score']}  [{low:.3f}, {high:.3f}] 95 %",
        "reward": summary["reward"],
        "terms": ", ".join(f"{k} {v}" for k, v in summary["reward_terms"].items()),
        "stop reasons": ", ".join(f"{k} {v}" for k, v in summary["stop_reasons"].items()),
        "turns, calls": f"{summary['turns']}, {summary['calls']} per episode",
        "parse errors": summary["parse_errors"],
        "tool failures": summary["tool_failures"],
        "episodes/s": summary["episodes_per_second"],
        "fingerprint": summary["fingerprint"],
        "results": str(Path(out) / "results.jsonl"),
    }
    for name, value in rows.items():
        table.add_row(name, str(value))
    Console().print(table)


def _validate(options: argparse.Namespace, console: Console) -> int:
    from react_envs.validation import validate

    env = _make(options)
    indices = _indices(env, 0, options.n)
    failures = []
    with _progress(console) as progress:
        bar = progress.add_task(f"validate {options.id}", total=len(indices), score="")
        for failure in validate(env, indices):
            progress.advance(bar)
            if failure is not None:
                failures.append(failure)
    env.close()
    for failure in islice(failures, 20):
        console.print(str(failure), markup=False, highlight=False, soft_wrap=True)
    Console().print(
        f"{options.id}: {len(indices) - len(failures)} of {len(indices)} tasks are sound "
        "(gold answers score 1.0, a wrong one 0.0)"
    )
    return 1 if failures else 0


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[score]}"),
        console=console,
    )


if __name__ == "__main__":
    sys.exit(main())

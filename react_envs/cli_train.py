"""`react-envs train`: the recipes that learn tool use from nothing, or from a checkpoint."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from react_envs.errors import MissingExtraError

__all__ = ["add_train"]


def add_train(commands: Any) -> None:
    """Add the command and its recipes."""
    parser = commands.add_parser("train", help="train a small model to call tools")
    recipes = parser.add_subparsers(required=True, metavar="RECIPE")
    quick = recipes.add_parser(
        "quickstart",
        help="from nothing to a model that calls the Python tool, in under three minutes",
    )
    quick.add_argument("--lessons", type=int, default=3000, help="problems that the oracle solves")
    quick.add_argument("--updates", type=int, default=60, help="updates of GRPO")
    _common(quick, "runs/quickstart", _quickstart)
    coa = recipes.add_parser(
        "autocoa", help="AutoCoA's stages SFT1, SFT2, SFT3, RL1 (simulated), RL2 (real)"
    )
    coa.add_argument(
        "--model", help="a Hugging Face checkpoint, name or folder; without one, from scratch"
    )
    coa.add_argument("--stages", nargs="+", metavar="STAGE", help="stages to run; by default all")
    coa.add_argument(
        "--scale", type=float, default=1.0, help="share of lessons and updates, such as 0.1"
    )
    coa.add_argument("--max-new-tokens", type=int, help="of a turn (default: 32, with --model 256)")
    _common(coa, "runs/autocoa", _autocoa)


def _common(parser: argparse.ArgumentParser, out: str, run: Any) -> None:
    parser.add_argument("--out", type=Path, default=Path(out), help=f"folder (default: {out})")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--held-out", type=int, default=150, metavar="N", help="tasks to measure on"
    )
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    parser.add_argument("--quiet", action="store_true", help="no progress bars")
    parser.set_defaults(run=run)


def _quickstart(arguments: argparse.Namespace, console: Console) -> int:
    with _needing_torch():
        from react_envs.agents.learners.quickstart import quickstart
    result = quickstart(
        arguments.out,
        seed=arguments.seed,
        lessons=arguments.lessons,
        updates=arguments.updates,
        held_out=arguments.held_out,
        resume=arguments.resume,
        progress=console.is_terminal and not arguments.quiet,
        say=_say,
    )
    for turn in result.episode.turns:
        _say((turn.kept + turn.observation).rstrip("\n"))
    _say(
        f"held-out exact match: {result.em_sft:.1%} taught, {result.em:.1%} after its own trials; "
        f"{result.wall_s:.0f} s, {result.cpu_s:.0f} CPU-s; all of it in {arguments.out}"
    )
    return 0


def _autocoa(arguments: argparse.Namespace, console: Console) -> int:
    with _needing_torch():
        from react_envs.agents.learners.autocoa import STAGES, autocoa
    autocoa(
        arguments.out,
        model=arguments.model,
        stages=arguments.stages or STAGES,
        seed=arguments.seed,
        scale=arguments.scale,
        held_out=arguments.held_out,
        max_new_tokens=arguments.max_new_tokens,
        resume=arguments.resume,
        progress=console.is_terminal and not arguments.quiet,
        say=_say,
    )
    _say(f"table: {arguments.out / 'table.json'}; model: {arguments.out / 'model'}")
    return 0


@contextmanager
def _needing_torch() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise MissingExtraError.for_extra(error.name or "torch", "train") from error


def _say(text: str) -> None:
    print(text, flush=True)

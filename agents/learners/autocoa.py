"""AutoCoA end to end: SFT1 (when to act), SFT2 (how), SFT3 (what the tool says), RL1, RL2.

Zhang et al., "Agent models: Internalizing Chain-of-Action Generation into Reasoning Models",
arXiv 2503.06580. Two encyclopedias stand in for Wikipedia: *fresh* worlds, a new one for each
question, in which nothing can be known by heart; and one *fixed* world, which a model can learn
to play as a simulator. RL1 runs in the fixed world with the model itself as its tool, RL2 in
fresh worlds with the real one.

A model made from scratch knows nothing yet, so it is given a base first: facts of one half of the
fixed world by heart (thoughts), and a beginning of how to search (actions).
"""

from __future__ import annotations

import json
import os
import random
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any

import gymnasium as gym
import torch

from react_envs.agents.learners.contrastive import Contrastive, action_pairs
from react_envs.agents.learners.evaluation import Evaluator, simulator_fidelity
from react_envs.agents.learners.forced_answer import ForcedAnswer
from react_envs.agents.learners.grpo import GRPO
from react_envs.agents.learners.run_folder import RunFolder
from react_envs.agents.learners.sft import SFT
from react_envs.agents.learners.small import (
    save_model,
    scaffolds,
    small_model,
    small_tokenizer,
)
from react_envs.agents.learners.teaching import TeachingData, mix, teach
from react_envs.agents.learners.train import Learner, train
from react_envs.agents.policies import make_policy
from react_envs.agents.policies.hf import HFPolicy
from react_envs.errors import ArgumentError
from react_envs.rollout import EpisodeRecord, play_together
from react_envs.simulators import ContinuingSimulator, Fidelity
from react_envs.tasks import SyntheticWiki
from react_envs.tasks.synthetic_wiki import world_of
from react_envs.tokenization import as_codec
from react_envs.trace import Sample
from react_envs.wrappers import TokenProvenance

__all__ = ["STAGES", "WORLD", "FactWorld", "autocoa", "text_of", "wiki"]

STAGES = ("base", "sft1", "sft2", "sft3", "rl1", "rl2")

WORLD: Mapping[str, Any] = {
    "style": "terse",
    "names": "few",
    "questions": ["bridge"],
    "hops": [1, 2],
    "relations": ["father", "mother", "mentor", "patron", "employer"],
    "homonyms": 0,
    "aliases": 0,
    "near_misses": 0,
    "inverses": 0,
}
"""Short pages, names that are single tokens, questions of one and two hops."""

RATES: Mapping[str, Mapping[str, Any]] = {
    "scratch": {
        "optimizer": "muon", "sft": 6e-3, "refine": 2e-3, "contrast": 1e-3, "rl": 1e-4, "kl": 0.0,
    },
    "pretrained": {
        "optimizer": "adamw", "sft": 5e-5, "refine": 5e-5, "contrast": 5e-6, "rl": 1e-6,
        "kl": 0.001,
    },
}  # fmt: skip
"""Learning rates; those of a pretrained model are AutoCoA's own."""

HELD_OUT = 1_000_000_000


def wiki(*, fixed: bool = False, bare: bool = True, **options: Any) -> gym.Env[str, str]:
    """ReactWiki in terse worlds, fresh or fixed; `bare`: the prompt is the question alone."""
    usual = {
        "world": {**WORLD, "shared": fixed},
        "instructions": "" if bare else None,
        "max_steps": 5,
        "reward": {"exact_match": 1.0, "format": 0.2},
    }
    return gym.make("ReactWiki-v0", **{**usual, **options})


class FactWorld:
    """The fixed world's questions: different ones, in four parts that share none.

    Args:
        count: questions to find.

    Attributes:
        known: those whose facts the base learns by heart.
        train: the others to train on.
        held_known: held out, of the known half.
        held_out: held out, of the other.
    """

    def __init__(self, count: int = 240) -> None:
        tasks = SyntheticWiki("train", shared=True, **WORLD)
        seen: dict[str, int] = {}
        for index in range(20 * count):
            seen.setdefault(tasks[index].question, index)
            if len(seen) == count:
                break
        self.known: list[int] = []
        self.train: list[int] = []
        self.held_known: list[int] = []
        self.held_out: list[int] = []
        for question, index in seen.items():
            known = zlib.crc32(question.split(" ")[0].encode()) % 2 == 0  # by whom it begins with
            held = zlib.crc32(question.encode()) % 3 == 0
            parts = (self.train, self.held_out, self.known, self.held_known)
            parts[2 * known + held].append(index)


def autocoa(
    out: str | os.PathLike[str],
    *,
    model: str | os.PathLike[str] | None = None,
    stages: Sequence[str] = STAGES,
    seed: int = 0,
    scale: float = 1.0,
    held_out: int = 150,
    width: int = 128,
    max_new_tokens: int | None = None,
    resume: bool = False,
    progress: bool = True,
    say: Callable[[str], None] = lambda text: None,
) -> list[dict[str, Any]]:
    """Run AutoCoA's stages; the rows of its table, also in `out/table.json`.

    `out/model` is the checkpoint after the last stage.

    Args:
        out: the run's folder (see `RunFolder`).
        model: a Hugging Face checkpoint to begin with, a name or a folder, put on the accelerator
            if there is one; None for a model made from scratch, with a base. A checkpoint gets
            instructions in its prompt, and continues texts (no chat template).
        stages: which to run, in the order of `STAGES`; the others are left out.
        seed: of everything that is drawn.
        scale: share of lessons, updates and what an update plays, such as 0.1 to try it.
        held_out: questions in fresh worlds to measure on.
        width: of the model made from scratch.
        max_new_tokens: of a turn; by default 32 from scratch and 256 with a checkpoint.
        resume: go on in `out`.
        progress: whether there are bars.
        say: gets a line for each stage.

    Raises:
        ArgumentError: for an unknown stage, and as `RunFolder` does.
    """
    if model is None:
        torch.set_num_threads(1)  # tensors this small only wait for each other
    unknown = [stage for stage in stages if stage not in STAGES]
    if unknown:
        raise ArgumentError(f"expected stages of {', '.join(STAGES)}, got {unknown}")
    settings = {
        "recipe": "autocoa",
        "model": None if model is None else os.fspath(model),
        "stages": list(stages),
        "seed": seed,
        "scale": scale,
        "held_out": held_out,
        "width": width,
        "max_new_tokens": max_new_tokens or (32 if model is None else 256),
    }
    with RunFolder(out, settings, resume=resume) as run, ExitStack() as closing:
        course = _Course(run, settings, model, progress, closing)
        rows = []
        before = (0.0, 0.0)
        for stage in STAGES:
            if stage not in stages or (stage == "base" and model is not None):
                continue
            if not run.is_done(stage):
                course.run(stage)
            rows.append(row := course.measure(stage, before))
            before = (row["wall_s"], row["cpu_s"])
            say(_line(row))
        (run.path / "table.json").write_text(json.dumps(rows, indent=2) + "\n")
        save_model(course.model, course.tokenizer, run.path / "model")
    return rows


class _Course:
    """Model, tokenizer, environments, and what each stage does with them."""

    def __init__(
        self,
        run: RunFolder,
        settings: Mapping[str, Any],
        model: str | os.PathLike[str] | None,
        progress: bool,
        closing: ExitStack,
    ) -> None:
        self._run, self._progress = run, progress
        self._seed: int = settings["seed"]
        self._scale: float = settings["scale"]
        self._new_tokens = settings["max_new_tokens"]
        self._rates = RATES["scratch" if model is None else "pretrained"]
        self._bare = model is None
        self._fresh = partial(wiki, bare=self._bare)
        self._fixed = partial(wiki, fixed=True, bare=self._bare)
        self.questions = FactWorld(max(40, round(240 * min(1.0, self._scale))))
        self._env = self._closed(closing, self._fresh())
        self._world = self._closed(closing, self._fixed())
        self._closing = closing
        if model is None:
            self.tokenizer = self._new_tokenizer()
            self.model: Any = small_model(self.tokenizer, settings["width"], seed=self._seed)
        else:
            from transformers import AutoModelForCausalLM, AutoTokenizer

            self.tokenizer = AutoTokenizer.from_pretrained(model)
            self.model = AutoModelForCausalLM.from_pretrained(model)
            self.model.to(torch.accelerator.current_accelerator() or "cpu")
        if run.checkpoint is not None:  # the stages that it has behind it are not run again
            self.model.load_state_dict(run.checkpoint["model"])
        few = settings["held_out"]
        fresh = range(HELD_OUT, HELD_OUT + few)
        self._evaluate_fresh = self._evaluator(self._fresh, fresh)
        self._evaluate_known = self._evaluator(self._fixed, self.questions.held_known[:few])
        self._evaluate_fixed = self._evaluator(self._fixed, self.questions.held_out[:few])
        self._simulator = ContinuingSimulator(self._policy(0.0))

    def run(self, stage: str) -> None:
        """Do a stage, or what is left of it."""
        learner: Learner = getattr(self, f"_{stage}")()
        train(
            learner,
            self._run,
            stage=stage,
            show="em" if stage.startswith("rl") else "loss",
            progress=self._progress,
        )
        close = getattr(learner, "close", None)
        if close is not None:
            close()

    def measure(self, stage: str, before: tuple[float, float]) -> dict[str, Any]:
        """A row of the table: what the model can do after a stage that began at `before`."""
        rows = [row for row in self._run.rows() if row["stage"] == f"after {stage}"]
        if rows:
            return dict(rows[-1])
        now = self._run.seconds()
        fresh, known = self._evaluate_fresh(), self._evaluate_known()
        fixed = self._evaluate_fixed()
        near = self._fidelity()
        steps = max((r["step"] for r in self._run.rows() if r["stage"] == stage), default=0)
        row = {
            "updates": steps,
            "em_fresh": fresh["em"],
            "em_fixed": fixed["em"],
            "em_known": known["em"],
            "format": fresh["format"],
            "calls_fresh": fresh["calls"],
            "calls_fixed": fixed["calls"],
            "calls_known": known["calls"],
            "simulator_exact": near.exact,
            "simulator_fact_f1": near.fact_f1,
            "stage_wall_s": round(now[0] - before[0], 1),
            "stage_cpu_s": round(now[1] - before[1], 1),
        }
        return self._run.log(f"after {stage}", steps, row)

    def _base(self) -> Learner:
        acts = self._lessons(self._env, "oracle", range(self._count(4000)))
        thinks = self._lessons(self._world, "thinker", self.questions.known)
        samples = mix((acts, 5), (_repeated(thinks, len(acts) // 5 + 1), 1), seed=self._seed)
        steps = self._count(150)
        return self._sft(samples, steps, self._rates["sft"], schedule=2 * steps)

    def _sft1(self) -> Learner:
        questions = [*self.questions.known, *self.questions.train]
        acting, thinking = self._trials(questions)
        shown = self._taught(self._world, "oracle", questions).records
        pairs = action_pairs([*acting, *shown], thinking)
        return Contrastive(
            self.model,
            pairs,
            steps=self._count(40),
            lr=self._rates["contrast"],
            optimizer=self._rates["optimizer"],
            seed=self._seed,
        )

    def _sft2(self) -> Learner:
        # the schedule ends later than the stage: RL is to begin where there is something to gain
        steps = self._count(200)
        return self._sft(self._curriculum(), steps, self._rates["sft"], schedule=2 * steps)

    def _sft3(self) -> Learner:
        owners = ("agent", "env")
        return self._sft(self._curriculum(), self._count(100), self._rates["refine"], owners)

    def _rl1(self) -> Learner:
        make = partial(self._fixed, simulate=self._simulator)
        questions = [*self.questions.train, *self.questions.known]
        return self._grpo(make, questions, self._count(80))

    def _rl2(self) -> Learner:
        return self._grpo(self._fresh, range(HELD_OUT // 2, HELD_OUT), self._count(16))

    def _curriculum(self) -> list[Sample]:
        """5,000 chains of action to 1,000 chains of thought, as published, times the scale.

        Both stages learn from the same. Three chains of action of five are about fresh worlds.
        """
        questions = [*self.questions.known, *self.questions.train]
        fresh = self._lessons(self._env, "oracle", range(10_000, 10_000 + self._count(3000)))
        fixed = self._lessons(self._world, "oracle", questions)
        thinks = self._lessons(self._world, "thinker", self.questions.known)
        acts = [*fresh, *_repeated(fixed, self._count(2000))]
        random.Random(self._seed).shuffle(acts)
        return mix((acts, 5), (_repeated(thinks, len(acts) // 5 + 1), 1), seed=self._seed)

    def _sft(
        self,
        samples: Sequence[Sample],
        steps: int,
        lr: float,
        owners: Sequence[str] = ("agent",),
        schedule: int | None = None,
    ) -> SFT:
        return SFT(
            self.model,
            samples,
            train=owners,
            steps=steps,
            schedule=schedule,
            lr=lr,
            warmup=min(50, steps // 4 + 1),
            optimizer=self._rates["optimizer"],
            seed=self._seed,
        )

    def _grpo(
        self, make: Callable[[], gym.Env[str, str]], indices: Sequence[int], steps: int
    ) -> GRPO:
        return GRPO(
            self.model,
            self.tokenizer,
            make,
            steps=steps,
            prompts=max(1, round(8 * min(1.0, self._scale))),
            indices=indices,
            lr=self._rates["rl"],
            kl_coef=self._rates["kl"],
            max_new_tokens=self._new_tokens,
            seed=self._seed,
        )

    def _lessons(self, env: gym.Env[str, str], policy: str, indices: Sequence[int]) -> list[Sample]:
        return self._taught(env, policy, indices).samples

    def _taught(self, env: gym.Env[str, str], policy: str, indices: Sequence[int]) -> TeachingData:
        options = {"thoughts": "evidence"} if policy == "oracle" else {}
        bar = policy if self._progress else None
        teacher = make_policy(policy, env, **options)
        return teach(env, teacher, self.tokenizer, indices, progress=bar)

    def _trials(self, indices: Sequence[int]) -> tuple[list[EpisodeRecord], list[EpisodeRecord]]:
        """The model's own trajectories with its tool, and its answers without."""
        codec = as_codec(self.tokenizer)
        envs = [TokenProvenance(self._fixed(), codec) for _ in indices]
        here: Any = self._world.unwrapped
        policy, seeds = self._policy(0.7), [self._seed] * len(indices)
        acting = play_together(envs, policy, indices, seeds)
        forced = ForcedAnswer(policy, here.dialect, codec)
        thinking = play_together(envs, forced, indices, seeds)
        for env in envs:
            env.close()
        return acting, thinking

    def _fidelity(self) -> Fidelity:
        """The model as simulator, on the oracle's calls in the fixed world."""
        simulator = ContinuingSimulator(self._policy(0.0))
        return simulator_fidelity(
            simulator,
            self._fixed,
            self.questions.held_out[:40],
            self.tokenizer,
            thoughts="evidence",
        )

    def _policy(self, temperature: float) -> HFPolicy:
        return HFPolicy(
            self.model,
            self.tokenizer,
            mode="completion",
            max_new_tokens=self._new_tokens + 16,
            temperature=temperature,
            batch_size=256,
        )

    def _evaluator(
        self, make: Callable[[], gym.Env[str, str]], indices: Sequence[int]
    ) -> Evaluator:
        evaluator = Evaluator(
            self.model, self.tokenizer, make, indices, max_new_tokens=self._new_tokens
        )
        self._closing.callback(evaluator.close)
        return evaluator

    def _count(self, full: int) -> int:
        return max(2, round(full * self._scale))

    def _new_tokenizer(self) -> Any:
        tasks: Any = self._env.unwrapped
        texts = [text_of(tasks.tasks, index) for index in range(400)]
        return small_tokenizer(texts, scaffolds(self._env), vocabulary=1500)

    @staticmethod
    def _closed(closing: ExitStack, env: gym.Env[str, str]) -> gym.Env[str, str]:
        closing.callback(env.close)
        return env


def _line(row: Mapping[str, Any]) -> str:
    """A row of the table, for the eye."""
    return (
        f"{row['stage']:12} updates {row['updates']:4}  fresh {row['em_fresh']:6.1%}  fixed "
        f"{row['em_fixed']:6.1%}  known {row['em_known']:6.1%}  calls {row['calls_fresh']:.2f} / "
        f"{row['calls_fixed']:.2f} / {row['calls_known']:.2f}  simulator "
        f"{row['simulator_exact']:6.1%}  {row['stage_wall_s']:.0f} s, "
        f"{row['stage_cpu_s']:.0f} CPU-s"
    )


def _repeated(samples: Sequence[Sample], count: int) -> list[Sample]:
    """The first `count` of the samples said over and over."""
    return [samples[i % len(samples)] for i in range(count)]


def text_of(tasks: SyntheticWiki, index: int) -> str:
    """Question and pages of a task, from which a tokenizer learns words and names."""
    task = tasks[index]
    paper = world_of(task)
    pages = " ".join(document.text for document in paper.documents())
    return f" {task.question}\n {pages}\n {' '.join(paper.world.titles)}"

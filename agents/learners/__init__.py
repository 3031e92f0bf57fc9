"""Learners in plain torch: SFT with chosen owners, AutoCoA's contrast, GRPO over any task."""

from react_envs.agents.learners.contrastive import (
    ActionPair,
    Contrastive,
    action_pairs,
    contrastive_loss,
)
from react_envs.agents.learners.evaluation import Evaluator, simulator_fidelity, summary_of
from react_envs.agents.learners.forced_answer import ForcedAnswer
from react_envs.agents.learners.grpo import GRPO, CollapseWarning
from react_envs.agents.learners.optimizers import Optimizer, warmup_cosine
from react_envs.agents.learners.run_folder import RunFolder
from react_envs.agents.learners.scoring import TokenScorer
from react_envs.agents.learners.sft import SFT
from react_envs.agents.learners.small import scaffolds, small_model, small_tokenizer
from react_envs.agents.learners.teaching import Teacher, TeachingData, mix, teach
from react_envs.agents.learners.train import Learner, train

__all__ = [
    "GRPO",
    "SFT",
    "ActionPair",
    "CollapseWarning",
    "Contrastive",
    "Evaluator",
    "ForcedAnswer",
    "Learner",
    "Optimizer",
    "RunFolder",
    "Teacher",
    "TeachingData",
    "TokenScorer",
    "action_pairs",
    "contrastive_loss",
    "mix",
    "scaffolds",
    "simulator_fidelity",
    "small_model",
    "small_tokenizer",
    "summary_of",
    "teach",
    "train",
    "warmup_cosine",
]

"""Wrappers of text environments: limits, rewards, provenance, history, traces. Each works alone."""

from __future__ import annotations

from react_envs.wrappers.limits import StepLimit
from react_envs.wrappers.provenance import TokenProvenance
from react_envs.wrappers.record import Record
from react_envs.wrappers.rewards import AnswerReward, EpisodeReward, FormatReward
from react_envs.wrappers.transcript import Transcript

__all__ = [
    "AnswerReward",
    "EpisodeReward",
    "FormatReward",
    "Record",
    "StepLimit",
    "TokenProvenance",
    "Transcript",
]

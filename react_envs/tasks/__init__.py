"""Task sets: published splits by name, tasks in memory, and generated problems."""

from __future__ import annotations

from react_envs.tasks.dataset import Dataset
from react_envs.tasks.datasets import DATASETS
from react_envs.tasks.loading import load_tasks
from react_envs.tasks.order import Reordered, react_order
from react_envs.tasks.synthetic import SyntheticMath
from react_envs.tasks.synthetic_wiki import SyntheticWiki
from react_envs.tasks.taskset import TaskList, TaskSet

__all__ = [
    "DATASETS",
    "Dataset",
    "Reordered",
    "SyntheticMath",
    "SyntheticWiki",
    "TaskList",
    "TaskSet",
    "load_tasks",
    "react_order",
]

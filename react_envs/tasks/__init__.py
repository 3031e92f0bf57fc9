"""Task sets: published splits by name, tasks in memory, and generated problems."""

from __future__ import annotations

from react_envs.tasks.datasets import DATASETS, Dataset
from react_envs.tasks.loading import load_tasks
from react_envs.tasks.synthetic import SyntheticMath
from react_envs.tasks.taskset import TaskList, TaskSet

__all__ = ["DATASETS", "Dataset", "SyntheticMath", "TaskList", "TaskSet", "load_tasks"]

"""Gymnasium environments in which a language model reasons, calls tools and answers.

>>> import gymnasium as gym, react_envs
>>> env = gym.make("ReactGSM8K-v0")
>>> prompt, info = env.reset(seed=0)
>>> observation, *_ = env.step("Action: python\\nAction Input: print(6 * 7)\\n")
>>> print(observation, end="")
Observation: 42
>>> env.close()
"""

from __future__ import annotations

import os

# An installed wheel holds agents/ and wrappers/ inside this folder (setup.cfg, package_dir).
# In a checkout they lie beside it: extend the search path so that both import alike.
if not os.path.isdir(os.path.join(__path__[0], "agents")):
    __path__.append(os.path.dirname(__path__[0]))

__version__ = "0.1.0"

from react_envs.registration import register_all
from react_envs.types import Completion, Context, Episode, StopReason, Task, ToolResult, Turn

__all__ = [
    "Completion",
    "Context",
    "Episode",
    "StopReason",
    "Task",
    "ToolResult",
    "Turn",
    "__version__",
    "register_all",
]

register_all()

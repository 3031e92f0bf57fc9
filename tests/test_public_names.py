"""`__all__` of every package equals what its `__init__` imports for others."""

from __future__ import annotations

import ast
import importlib

import pytest

PACKAGES = [
    "react_envs",
    "react_envs.dialects",
    "react_envs.executor",
    "react_envs.rewards",
    "react_envs.tasks",
    "react_envs.tools",
    "react_envs.agents",
    "react_envs.agents.policies",
    "react_envs.wrappers",
]


@pytest.mark.parametrize("name", PACKAGES)
def test_all_names_what_is_there(name: str) -> None:
    module = importlib.import_module(name)
    assert sorted(module.__all__) == sorted(set(module.__all__))
    for exported in module.__all__:
        assert hasattr(module, exported)


@pytest.mark.parametrize("name", PACKAGES)
def test_every_public_class_and_function_made_here_or_below_is_exported(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__file__ is not None
    with open(module.__file__, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    defined = {
        node.name
        for node in tree.body
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_")
    }
    assert defined <= set(module.__all__)

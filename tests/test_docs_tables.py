"""The tables of the docs are those of the code."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from react_envs.dialects import DIALECTS
from react_envs.rewards.terms import PRESETS, _all_terms

DOCS = Path(__file__).parents[1] / "docs"
spec = importlib.util.spec_from_file_location("docs_tables", DOCS / "tables.py")
assert spec is not None
assert spec.loader is not None
tables = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tables)


@pytest.mark.parametrize("page", tables.TABLES)
def test_a_page_with_tables_is_current(page: str) -> None:
    assert tables.rendered(page) == (DOCS / page).read_text("utf-8"), "run python docs/tables.py"


def test_every_dialect_and_every_reward_is_named_in_the_docs() -> None:
    systems = (DOCS / "published_systems.md").read_text("utf-8")
    for name in DIALECTS:
        assert f"`{name}`" in systems
    rewards = (DOCS / "rewards.md").read_text("utf-8")
    for name in [*PRESETS, *_all_terms("text")]:
        assert f"`{name}`" in rewards

"""The examples of the documentation run, and print what is printed beside them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).parents[1] / "docs"


def test_the_worked_example_of_provenance(capsys: pytest.CaptureFixture[str]) -> None:
    page = (DOCS / "provenance.md").read_text("utf-8")
    first, second = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    shown = re.search(r"```\n\n((?:    .*\n)+)", page)
    assert shown is not None
    names: dict[str, Any] = {}
    exec(compile(first, "provenance.md", "exec"), names)
    assert capsys.readouterr().out == re.sub("^    ", "", shown.group(1), flags=re.MULTILINE)
    exec(compile(second, "provenance.md", "exec"), names)
    assert float(capsys.readouterr().out) == pytest.approx(5.5530, abs=1e-3)  # log 258

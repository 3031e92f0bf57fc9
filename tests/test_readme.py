"""What the README shows works as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from react_envs.registration import IDS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")


def test_the_loop_runs_offline(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(compile(code, "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert printed.count("Observation: 42\n") == 3
    assert "'exact_match': 0.0" in printed


def test_the_table_names_every_environment_with_its_default_split() -> None:
    rows = dict(re.findall(r"^\| `(React\S+)` \|.*\| `(\w+)` \| \w+ \|$", README, re.MULTILINE))
    assert rows == {env_id: arguments["split"] for env_id, arguments in IDS.items()}


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs", "benchmarks"])
def test_links_lead_somewhere(page: str) -> None:
    path = ROOT / page
    for file in [path] if path.is_file() else sorted(path.glob("*.md")):
        for link in re.findall(r"\]\(([^)#:]+)\)", file.read_text("utf-8")):
            assert (file.parent / link).exists(), f"{file.name} links to {link}"

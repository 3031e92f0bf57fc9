"""Ordinary model-written code, and what plain CPython prints for it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

DATA = Path(os.environ.get("REACT_ENVS_DATA", Path(__file__).parents[3] / "shared" / "data"))

_RUN_PLAINLY = """
import contextlib, io, json, sys, types
results = []
for code in json.load(sys.stdin):
    out = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True)
    module = sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        with contextlib.redirect_stdout(out):
            exec(compile(code, "<snippet>", "exec", dont_inherit=True), module.__dict__)
        results.append([out.buffer.getvalue().decode(), None])
    except Exception as error:
        results.append([out.buffer.getvalue().decode(), type(error).__name__])
json.dump(results, sys.stdout)
"""


def load_json(name: str) -> Any:
    """A file of the shared data's executor folder; None where it is absent."""
    path = DATA / "executor" / name
    return json.loads(path.read_text("utf-8")) if path.exists() else None


def own_corpus(file: str = "ordinary_corpus.txt") -> dict[str, str]:
    """Our own ordinary snippets by name."""
    text = (Path(__file__).parent / file).read_text("utf-8")
    parts = re.split(r"^#--- (\w+)\n", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def run_plainly(codes: list[str]) -> list[tuple[str, str | None]]:
    """Stdout and name of the exception, if any, of each program under plain CPython."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _RUN_PLAINLY],
        input=json.dumps(codes),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return [tuple(pair) for pair in json.loads(done.stdout)]

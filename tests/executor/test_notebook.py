"""The executor inside a notebook: a kernel that redirects streams and runs an event loop."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

CELL = """
import asyncio
from react_envs.executor import PythonSession

with PythonSession() as session:
    session.run("x = 41")
    print("in the kernel:", session.run("print(x + 1)").text)
    print("in a thread:", (await asyncio.to_thread(session.run, "print(x + 2)")).text)
"""

PROGRAM = f"""
import nbformat
from nbclient import NotebookClient

notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell({CELL!r})])
NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
print(notebook.cells[0].outputs[0].text)
"""


@pytest.mark.slow
def test_a_session_runs_in_a_notebook(tmp_path: Path) -> None:
    pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    env = {**os.environ, "PYTHONPATH": str(ROOT), "JUPYTER_DATA_DIR": str(tmp_path)}
    env["IPYTHONDIR"] = str(tmp_path)
    kernel = [sys.executable, "-m", "ipykernel", "install", "--prefix", str(tmp_path)]
    subprocess.run(kernel, check=True, env=env, capture_output=True)
    env["JUPYTER_PATH"] = str(tmp_path / "share/jupyter")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=env, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.splitlines()[:2] == ["in the kernel: 42", "in a thread: 43"]

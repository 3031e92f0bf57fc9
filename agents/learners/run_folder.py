"""A run's folder: settings, metrics as JSONL, CSV and TensorBoard, checkpoints to go on from."""

from __future__ import annotations

import csv
import json
import math
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from react_envs.errors import ArgumentError

__all__ = ["RunFolder"]

SETTINGS, METRICS, TABLE, CHECKPOINT = "settings.json", "metrics.jsonl", "metrics.csv", "last.pt"


class RunFolder:
    """Writes what a run measures, and what it needs to go on.

    - `settings.json`: whatever fixes the outcome; a resumed run must have the same;
    - `metrics.jsonl`: a line for each update or evaluation, with `stage`, `step`, wall and CPU
      seconds; `metrics.csv` holds the same as a table;
    - `tensorboard/`: the same, where `tensorboard` is installed;
    - `last.pt`: the checkpoint, replaced as a whole; lines behind it are dropped on resume.

    Args:
        path: the folder; made if it is not there.
        settings: JSON.
        resume: go on in a folder that holds a run; with none there, begin.

    Raises:
        ArgumentError: if the folder holds a run and `resume` is False, or one of other settings.
    """

    def __init__(
        self, path: str | os.PathLike[str], settings: Mapping[str, Any], *, resume: bool = False
    ) -> None:
        self.path = Path(path)
        self.path.mkdir(parents=True, exist_ok=True)
        self.settings: dict[str, Any] = json.loads(json.dumps(settings))
        self.checkpoint: dict[str, Any] | None = None
        self._began = (time.perf_counter(), time.process_time())
        self._before = (0.0, 0.0)
        if (self.path / SETTINGS).exists():
            if not resume:
                raise ArgumentError(
                    f"{self.path} already holds a run: pass --resume or another --out"
                )
            self._check_same(json.loads((self.path / SETTINGS).read_text()), self.settings)
            self._go_on()
        else:
            (self.path / SETTINGS).write_text(json.dumps(self.settings, indent=2) + "\n")
            (self.path / METRICS).write_text("")
        self._file = (self.path / METRICS).open("a", encoding="utf-8")
        self._board = _board(self.path / "tensorboard")

    def log(self, stage: str, step: int, metrics: Mapping[str, Any]) -> dict[str, Any]:
        """Write a line; `step` counts the updates of the stage.

        A number that is not finite is written as text, `"nan"` or `"inf"`: JSON has none.
        """
        wall, cpu = self.seconds()
        row = {"stage": stage, "step": step, **metrics, "wall_s": round(wall, 3)}
        row["cpu_s"] = round(cpu, 3)
        line = {name: _json_number(value) for name, value in row.items()}
        self._file.write(json.dumps(line, allow_nan=False) + "\n")
        self._file.flush()
        if self._board is not None:
            for name, value in metrics.items():
                if isinstance(value, int | float):
                    self._board.add_scalar(f"{stage}/{name}", value, step)
        return row

    def seconds(self) -> tuple[float, float]:
        """Wall and CPU seconds of this process, with those of the run that this one resumed."""
        return (
            self._before[0] + time.perf_counter() - self._began[0],
            self._before[1] + time.process_time() - self._began[1],
        )

    def save(self, state: dict[str, Any]) -> None:
        """Replace the checkpoint: `state` is what `checkpoint` will be on resume."""
        self._file.flush()
        whole = {"state": state, "bytes": self._file.tell(), "seconds": self.seconds()}
        temporary = self.path / (CHECKPOINT + ".new")
        torch.save(whole, temporary)
        temporary.replace(self.path / CHECKPOINT)
        self.checkpoint = state
        self._write_table()

    def is_done(self, stage: str) -> bool:
        """Whether the checkpoint has this stage behind it."""
        return self.checkpoint is not None and stage in self.checkpoint["done"]

    def rows(self) -> list[dict[str, Any]]:
        """All lines so far."""
        self._file.flush()
        text = (self.path / METRICS).read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def close(self) -> None:
        """Write the table and close the files."""
        if not self._file.closed:
            self._write_table()
            self._file.close()
        if self._board is not None:
            self._board.close()

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _check_same(self, before: Any, now: Any) -> None:
        differ = sorted(k for k in {*before, *now} if before.get(k) != now.get(k))
        if differ:
            raise ArgumentError(
                f"{self.path} holds a run of other settings, in: {', '.join(differ)}; "
                "resume it with its own, or choose another --out"
            )

    def _go_on(self) -> None:
        metrics, checkpoint = self.path / METRICS, self.path / CHECKPOINT
        size = 0
        if checkpoint.exists():
            whole = torch.load(checkpoint, map_location="cpu", weights_only=False)
            self.checkpoint, size = whole["state"], whole["bytes"]
            self._before = tuple(whole["seconds"])
        with metrics.open("ab") as file:
            file.truncate(min(size, file.tell()))  # a crash of the machine may have cut it

    def _write_table(self) -> None:
        rows = self.rows()
        columns = list(dict.fromkeys(name for row in rows for name in row))
        with (self.path / TABLE).open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, columns)
            table.writeheader()
            table.writerows(rows)


def _json_number(value: Any) -> Any:
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _board(path: Path) -> Any:
    """TensorBoard's writer, or None where it is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(path))

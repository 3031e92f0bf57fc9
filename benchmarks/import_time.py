"""How long `import react_envs` takes in a fresh interpreter, beside gymnasium and a bare start.

    python benchmarks/import_time.py

Wall seconds of whole processes, median and minimum of 15, taken in turns.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

PROGRAMS = {
    "python -c pass": "pass",
    "import gymnasium": "import gymnasium",
    "import react_envs": "import react_envs",
    "gym.make and reset": (
        "import gymnasium as gym, react_envs; gym.make('ReactGSM8K-v0').reset(seed=0)"
    ),
}


def main() -> None:
    seconds: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for _ in range(16):
        for name, program in PROGRAMS.items():
            started = time.perf_counter()
            subprocess.run([sys.executable, "-c", program], check=True)
            seconds[name].append(time.perf_counter() - started)
    print("| program | median s | minimum s |\n|---|---|---|")
    for name, measured in seconds.items():
        counted = measured[1:]  # the first run warms the caches
        print(f"| `{name}` | {statistics.median(counted):.3f} | {min(counted):.3f} |")


if __name__ == "__main__":
    main()

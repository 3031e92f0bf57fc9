"""Attacks on the policy that its authors wrote: each prints `REACHED` if it gets what it wants.

In the two text files, WIN stands for the statement that prints it, FIELD for a dataclass field's
name that is code, and DATACLASS for the decorator that compiles such names.
"""

from __future__ import annotations

import re
from pathlib import Path

REACHED = "REACHED-7c1e"

_SHORT = {
    "WIN": 'print("REACHED" + "-7c1e")',
    "FIELD": "x,print(\\'REACHED\\' + \\'-7c1e\\')",
    "DATACLASS": "dataclasses.dataclass(init=False, repr=False)",
}


def _read(name: str) -> dict[str, str]:
    text = (Path(__file__).parent / name).read_text("utf-8")
    for short, code in _SHORT.items():
        text = text.replace(short, code)
    parts = re.split(r"^#--- (\w+)\n", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


ATTACKS = _read("policy_attacks.txt")
"""They succeed under plain `exec`, which shows that they can."""

OWN_GUARDS = _read("policy_attacks_own.txt")
"""They aim at our guards, or at library code that resists them by itself."""

"""Sessions without the language policy, on chosen rungs of the operating-system ladder."""

from __future__ import annotations

from react_envs.executor import PythonSession
from react_envs.executor.zygote import Flavour

NO_RUNG = ("none",)
"""Arguments for `unguarded_session` that leave the code entirely free."""


def unguarded_session(*only: str, **limits: float) -> PythonSession:
    """A session whose children run plain `exec` on the rungs `only` (all, if none is named)."""
    session = PythonSession(**limits)  # type: ignore[arg-type]
    flavour = Flavour(interpreter="plain_exec:PlainExec", only=only or None)
    session._flavours = (flavour, flavour)
    return session

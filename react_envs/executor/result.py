"""What one run of a snippet gave, and the text of it that the model reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["ExecutionResult", "Status"]

Status = Literal["ok", "error", "blocked", "timeout", "memory", "killed"]

NO_OUTPUT = "(no output; use print())"
RESTARTED = "The interpreter was restarted and all variables are lost."


@dataclass(frozen=True, slots=True)
class ExecutionResult:
    """Output and fate of one snippet; nothing in it can break the trainer.

    Every string encodes as UTF-8: a lone surrogate that the snippet printed arrives as its
    escape, for example the six characters ``\\ud800``.
    """

    stdout: str
    stderr: str
    error: str | None
    """Trimmed traceback, refusal or limit, ready for the model; None if the snippet ended well."""
    value: str | None
    """`repr` of the last expression if the session was made with `show_last_value`."""
    status: Status
    """`ok`; `error`: it raised, or did not compile; `blocked`: the policy refused it; `timeout`:
    it exceeded the CPU limit (variables kept) or the wall limit (`restarted`); `memory`: it
    exceeded the memory limit; `killed`: its process died otherwise (`restarted`)."""
    cpu_s: float
    """CPU seconds as the child counted them; 0.0 if it died before it could say."""
    wall_s: float
    """Seconds from the request to the reply, on the caller's clock."""
    truncated: bool
    """True if part of stdout or stderr was cut; the cut is marked in the text."""
    restarted: bool = False
    """True if the interpreter had to be replaced: the variables so far are gone."""

    @property
    def text(self) -> str:
        """What the model reads: stdout, stderr, the last value, the error, in that order.

        >>> ExecutionResult("4\\n", "", None, None, "ok", 0.0, 0.0, False).text
        '4'
        >>> ExecutionResult("", "", None, None, "ok", 0.0, 0.0, False).text
        '(no output; use print())'
        """
        parts = [self.stdout, self.stderr, self.value, self.error]
        shown = [part.rstrip("\n") for part in parts if part and part.rstrip("\n")]
        if not shown:
            shown = [NO_OUTPUT]
        if self.restarted:
            shown.append(RESTARTED)
        return "\n".join(shown)

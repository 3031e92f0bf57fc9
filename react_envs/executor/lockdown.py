"""The ladder of operating-system measures: what is tried, in which order, and what held.

The zygote climbs most rungs once, after its imports; every child climbs the last two before it
sees a byte of the model's code. A rung that the system does not offer is left out and reported;
one that the zygote found to work must work in each child, or the child exits.

Nothing here needs Linux at import time; elsewhere only `unprivileged` and `rlimits` are tried.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterable

__all__ = ["RUNGS", "Ladder", "confine_child", "die_with_parent", "level"]

LINUX = sys.platform == "linux"
if LINUX:
    # Up front, since a process that has climbed the ladder can import nothing.
    from react_envs.executor import landlock, namespaces, seccomp
    from react_envs.executor.linux import (
        PR_SET_DUMPABLE,
        PR_SET_NO_NEW_PRIVS,
        PR_SET_PDEATHSIG,
        prctl,
    )

RUNGS = ("namespaces", "empty_root", "unprivileged", "landlock", "rlimits", "seccomp")
"""In the order in which they are climbed; docs/security.md says what each one denies."""

NOBODY = 65534
EPISODE_CPU_S = 3600
"""No child lives longer than this in CPU seconds, whoever forgets to stop it."""
PROBE_MEMORY = 1 << 28


def level(rungs: dict[str, bool]) -> str:
    """Name of the state that `rungs` amount to.

    `full`: every rung holds. `seccomp`: the system-call filter holds, something else does not.
    `rlimits`: resource limits, but no filter. `policy`: nothing but the language policy.
    """
    if all(rungs.values()):
        return "full"
    return next((name for name in ("seccomp", "rlimits") if rungs[name]), "policy")


class Ladder:
    """Climbs the rungs and remembers which of them hold."""

    def __init__(self, only: Iterable[str] | None = None) -> None:
        """Prepare to climb the rungs in `only`, or all of them."""
        self._wanted = frozenset(RUNGS if only is None else only)
        self.rungs = dict.fromkeys(RUNGS, False)

    def enter_namespaces(self) -> bool:
        """Enter namespaces of this process's own; True if that worked."""
        if LINUX:
            self._climb("namespaces", namespaces.enter)
        return self.rungs["namespaces"]

    def confine_zygote(self, address_space: int | None) -> None:
        """Give up all that forking children does not need and see what a child can give up.

        Args:
            address_space: bytes of virtual memory that this process takes.
        """
        if LINUX:
            with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
                # When memory runs out, the kernel shall take the sandbox, not the trainer.
                file.write("1000")
            if self.rungs["namespaces"]:
                self._climb("empty_root", namespaces.enter_empty_root)
        self._climb("unprivileged", _become_unprivileged)
        if LINUX:
            prctl(PR_SET_NO_NEW_PRIVS, 1)
            prctl(PR_SET_DUMPABLE, 0)
            self._climb("landlock", landlock.deny_everything)
        memory = None if address_space is None else address_space + PROBE_MEMORY
        self._climb("rlimits", lambda: _try_in_a_child(lambda: _limit_resources(memory)))
        if LINUX:
            self._climb("seccomp", lambda: _try_in_a_child(_filter_and_test))

    def _climb(self, rung: str, step: Callable[[], None]) -> None:
        if rung in self._wanted:
            with contextlib.suppress(OSError, ValueError):
                step()
                self.rungs[rung] = True


def confine_child(rungs: dict[str, bool], memory: int | None) -> None:
    """Cap this child's resources, then filter its system calls, as far as `rungs` hold.

    Args:
        rungs: what the zygote found to hold.
        memory: bytes of virtual memory in all, None where no such limit exists.

    Raises:
        OSError: if a rung does not hold after all.
    """
    if rungs["rlimits"]:
        _limit_resources(memory)
    if rungs["seccomp"]:
        seccomp.install()


def die_with_parent() -> None:
    """Have the kernel kill this process when the one that forked it dies (Linux only).

    A change of user or capabilities undoes it.
    """
    if LINUX:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _become_unprivileged() -> None:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    if LINUX:
        # Within its user namespace, an ordinary user's process has them all.
        namespaces.drop_capabilities()


def _limit_resources(memory: int | None) -> None:
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: 0,
        resource.RLIMIT_NPROC: 0,
        resource.RLIMIT_CPU: EPISODE_CPU_S,
    }
    if memory is not None:
        limits[resource.RLIMIT_AS] = memory
    for limit, most in limits.items():
        resource.setrlimit(limit, (most, most))


def _filter_and_test() -> None:
    seccomp.install()
    try:
        os.dup(0)
    except PermissionError:
        return
    raise OSError("a system call that the filter does not list went through")


def _try_in_a_child(step: Callable[[], None]) -> None:
    """Take an irrevocable `step` in a child of this process; OSError if it fails there."""
    child = os.fork()
    if child == 0:
        try:
            step()
        except BaseException:
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1] != 0:
        raise OSError("the step failed")

"""The few Linux calls that the sandbox needs and Python does not offer, through ctypes."""

from __future__ import annotations

import ctypes
import errno
import os

__all__ = ["libc_call", "prctl", "syscall"]

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_SECCOMP = 22
PR_SET_NO_NEW_PRIVS = 38

_libc = ctypes.CDLL(None, use_errno=True)


def libc_call(name: str, *arguments: object) -> int:
    """Call the libc function `name`; its result, or OSError with its errno if that is -1."""
    function = getattr(_libc, name, None)
    if function is None:
        raise OSError(errno.ENOSYS, f"this libc has no {name}")
    result: int = function(*arguments)
    if result == -1:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")
    return result


def prctl(option: int, value: int | ctypes.c_void_p, *rest: int | ctypes.c_void_p) -> int:
    """Set one attribute of this process."""
    # prctl is variadic: what is not passed would be garbage, and an int would be cut to 32 bits.
    arguments = [ctypes.c_ulong(v) if isinstance(v, int) else v for v in (value, *rest)]
    arguments += [ctypes.c_ulong(0)] * (4 - len(arguments))
    return libc_call("prctl", option, *arguments)


def syscall(number: int, *arguments: int | ctypes.c_void_p | None) -> int:
    """Make a raw system call for which libc has no function."""
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    return libc_call("syscall", ctypes.c_long(number), *words)

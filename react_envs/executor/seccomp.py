"""The system calls that a sandboxed child may make, enforced by the kernel through seccomp.

An allow-list for a single-threaded Python that computes and talks over one open socket: memory,
clocks, timers, randomness, reading and writing descriptors that it holds already, exit. All
else (open, socket, clone, execve, kill, ptrace, ioctl, ...) fails with EPERM; a system call of
a foreign architecture kills the process. No memory can be made executable.

The filter is classic BPF; see https://docs.kernel.org/userspace-api/seccomp_filter.html.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import platform
import struct

from react_envs.executor.linux import PR_SET_SECCOMP, prctl

__all__ = ["SYSCALLS", "install", "prepare", "program"]

# fmt: off
SYSCALLS: dict[str, dict[str, int]] = {
    "x86_64": {
        "read": 0, "write": 1, "close": 3, "mmap": 9, "mprotect": 10, "munmap": 11, "brk": 12,
        "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "sched_yield": 24,
        "mremap": 25, "madvise": 28, "nanosleep": 35, "getitimer": 36, "setitimer": 38,
        "getpid": 39, "exit": 60, "gettimeofday": 96, "getrusage": 98, "sigaltstack": 131,
        "gettid": 186, "time": 201, "futex": 202, "restart_syscall": 219, "clock_gettime": 228,
        "clock_getres": 229, "clock_nanosleep": 230, "exit_group": 231, "getrandom": 318,
    },
    "aarch64": {
        "read": 63, "write": 64, "close": 57, "mmap": 222, "mprotect": 226, "munmap": 215,
        "brk": 214, "rt_sigaction": 134, "rt_sigprocmask": 135, "rt_sigreturn": 139,
        "sched_yield": 124, "mremap": 216, "madvise": 233, "nanosleep": 101, "getitimer": 102,
        "setitimer": 103, "getpid": 172, "exit": 93, "gettimeofday": 169, "getrusage": 165,
        "sigaltstack": 132, "gettid": 178, "futex": 98, "restart_syscall": 128,
        "clock_gettime": 113, "clock_getres": 114, "clock_nanosleep": 115, "exit_group": 94,
        "getrandom": 278,
    },
}
# fmt: on
"""Allowed system calls and their numbers, for each architecture that is supported."""

_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_SECCOMP_MODE_FILTER = 2
_PROT_EXEC = 4

# Instructions: load a word of `struct seccomp_data`, jump on a comparison, return a verdict.
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
# Offsets in `struct seccomp_data`; the third argument's low half (both are little-endian).
_NUMBER, _ARCHITECTURE, _THIRD_ARGUMENT = 0, 4, 32
_ALLOW, _KILL_PROCESS = 0x7FFF0000, 0x80000000
_REFUSE = 0x00050000 | errno.EPERM
# Numbers from here on are the x32 variant of x86-64, which would dodge the comparisons.
_X32 = 0x40000000


def program(machine: str) -> list[tuple[int, int, int, int]]:
    """The filter for `machine` as (code, jump if true, jump if false, operand).

    Raises:
        OSError: if there is no table for `machine`.
    """
    if machine not in SYSCALLS:
        raise OSError(errno.ENOSYS, f"no seccomp table for {machine}")
    numbers = dict(SYSCALLS[machine])
    maps_memory = [numbers.pop("mmap"), numbers.pop("mprotect")]
    # Jumps count the instructions to skip; the verdicts stand at the end.
    checks = len(maps_memory) + len(numbers)
    filter_ = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, _AUDIT_ARCH[machine]),
        (_RETURN, 0, 0, _KILL_PROCESS),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _X32),
        (_RETURN, 0, 0, _KILL_PROCESS),
    ]
    for position, number in enumerate([*numbers.values(), *maps_memory]):
        left = checks - position - 1
        target = left + 1 if position < len(numbers) else left + 2
        filter_.append((_EQUAL, target, 0, number))
    return [
        *filter_,
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
        (_LOAD, 0, 0, _THIRD_ARGUMENT),
        (_ANY_BIT, 0, 1, _PROT_EXEC),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    ]


class _SockFprog(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


@functools.cache
def _fprog() -> tuple[ctypes.c_void_p, object]:
    """Pointer to this machine's filter as the kernel wants it, and what must stay alive for it."""
    instructions = program(platform.machine())
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in instructions)
    buffer = ctypes.create_string_buffer(code, len(code))
    fprog = _SockFprog(len(instructions), ctypes.cast(buffer, ctypes.c_void_p))
    return ctypes.cast(ctypes.byref(fprog), ctypes.c_void_p), (buffer, fprog)


def prepare() -> None:
    """Build the filter now, for all processes forked from this one.

    Raises:
        OSError: if the architecture is not supported.
    """
    _fprog()


def install() -> None:
    """Filter this process's system calls from now on; it cannot be undone.

    `no_new_privs` must be set.

    Raises:
        OSError: if the kernel or the architecture is not supported.
    """
    prctl(PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, _fprog()[0])

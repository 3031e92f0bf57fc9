"""Landlock: give up all access to files, TCP ports and foreign processes, for good.

Source: https://docs.kernel.org/userspace-api/landlock.html (ABI 1 of Linux 5.13 to ABI 6 of
Linux 6.12). Not covered by Landlock itself: `stat` and `readlink` on paths, UDP; seccomp and
the network namespace cover those.
"""

from __future__ import annotations

import ctypes
import os

from react_envs.executor.linux import syscall

__all__ = ["deny_everything"]

# The same numbers on every architecture.
_CREATE_RULESET, _RESTRICT_SELF = 444, 446
_CREATE_RULESET_VERSION = 1

# Rights on files that each ABI knows: 13 at first, then REFER, TRUNCATE and IOCTL_DEV.
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_TCP_BIND_AND_CONNECT = 0b11
_ABSTRACT_SOCKETS_AND_SIGNALS = 0b11


class _RulesetAttr(ctypes.Structure):
    _fields_ = [
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    ]


def deny_everything() -> None:
    """Put this process and its descendants under a rule set that allows nothing.

    `no_new_privs` must be set. Files that are open already stay usable.

    Raises:
        OSError: if the kernel has no Landlock or it is switched off.
    """
    abi = syscall(_CREATE_RULESET, None, 0, _CREATE_RULESET_VERSION)
    attr = _RulesetAttr((1 << _FILE_RIGHTS[min(abi, 5)]) - 1, 0, 0)
    size = 8
    if abi >= 4:
        attr.handled_access_net = _TCP_BIND_AND_CONNECT
        size = 16
    if abi >= 6:
        attr.scoped = _ABSTRACT_SOCKETS_AND_SIGNALS
        size = 24
    ruleset = syscall(_CREATE_RULESET, ctypes.cast(ctypes.byref(attr), ctypes.c_void_p), size, 0)
    try:
        syscall(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)

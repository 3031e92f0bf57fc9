"""Linux namespaces: no network, no view of other processes, and an empty root directory."""

from __future__ import annotations

import ctypes
import os

from react_envs.executor.linux import libc_call

__all__ = ["drop_capabilities", "enter", "enter_empty_root"]

_CLONE = {"mount": 0x20000, "uts": 0x4000000, "ipc": 0x8000000, "pid": 0x20000000}
_CLONE_USER, _CLONE_NET = 0x10000000, 0x40000000
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 1, 2, 4, 8
_MS_REC, _MS_PRIVATE = 0x4000, 0x40000


def enter() -> None:
    """Move into fresh mount, UTS, IPC, PID and network namespaces, as root or through a user
    namespace. The PID namespace holds from the next fork on.

    Raises:
        OSError: if the system does not allow it (a container's own filter, a sysctl).
    """
    flags = _CLONE_NET
    for flag in _CLONE.values():
        flags |= flag
    if os.geteuid() == 0:
        libc_call("unshare", flags)
        return
    uid, gid = os.geteuid(), os.getegid()
    libc_call("unshare", flags | _CLONE_USER)
    # Without these maps no file system may be mounted.
    for path, line in (
        ("/proc/self/setgroups", "deny"),
        ("/proc/self/uid_map", f"{uid} {uid} 1"),
        ("/proc/self/gid_map", f"{gid} {gid} 1"),
    ):
        with open(path, "w") as file:
            file.write(line)


def enter_empty_root() -> None:
    """Make an empty, read-only directory the root of everything this process can name.

    Wants the mount namespace of `enter`.

    Raises:
        OSError: if mounting or `chroot` is not allowed.
    """
    _mount(None, b"/", None, _MS_REC | _MS_PRIVATE)
    _mount(b"tmpfs", b"/tmp", b"tmpfs", _MS_RDONLY | _MS_NOSUID | _MS_NODEV | _MS_NOEXEC)
    os.chroot("/tmp")
    os.chdir("/")


def _mount(source: bytes | None, target: bytes, kind: bytes | None, flags: int) -> None:
    libc_call("mount", source, target, kind, ctypes.c_ulong(flags), None)


def drop_capabilities() -> None:
    """Give up every capability, those that `enter` brought within a user namespace included."""
    version_3 = 0x20080522
    header = (ctypes.c_uint32 * 2)(version_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    libc_call("capset", header, nothing)

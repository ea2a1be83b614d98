"""
A private view of /etc for one process and what it starts, with the lab's resolv.conf and hosts; it needs root.

Run as a script it is a prefix: ``python -I -S namespace.py DIRECTORY PROGRAM [ARGUMENT...]``. Standard library only.
"""

from __future__ import annotations

import ctypes
import os
import sys

# The files of /etc that the directory replaces.
FILES = ("resolv.conf", "hosts")

# <linux/sched.h>, <linux/mount.h>; Python has unshare since 3.12, and no mount.
_CLONE_NEWNS = 0x20000
_MS_BIND = 0x1000
_MS_REC = 0x4000
_MS_PRIVATE = 0x40000


def enter(directory: str) -> None:
    """
    Move this process, which must have only one thread, into a mount namespace of its own that shows the files.

    It is kept over a fork and an exec, and ends with the last process in it. Where /etc/resolv.conf is a link, the file
    behind it is covered.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mount.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p)
    _check(libc.unshare(_CLONE_NEWNS), "unshare")
    # systemd shares all mounts between namespaces: the machine would get ours too.
    _check(libc.mount(None, b"/", None, _MS_REC | _MS_PRIVATE, None), "/")
    for name in FILES:
        source, target = f"{directory}/{name}", f"/etc/{name}"
        _check(libc.mount(source.encode(), target.encode(), None, _MS_BIND, None), f"{source} on {target}")


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


if __name__ == "__main__":
    enter(sys.argv[1])
    try:
        os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606
    except OSError as error:
        print(f"warmline: can't run {sys.argv[2]}: {error.strerror}", file=sys.stderr)
        # As the command's own: it could not do its work.
        sys.exit(2)

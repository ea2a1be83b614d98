"""
The files that a command writes.
"""

from __future__ import annotations

from pathlib import Path

from .console import fail


def check_writable(path: Path | None) -> None:
    """
    End the command now if the file can't be written, and not after all the work.
    """
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not path.exists()
        with path.open("a"):
            pass
        if is_new:
            path.unlink()
    except OSError as error:
        fail(f"can't write {path}: {error.strerror}; choose another file")

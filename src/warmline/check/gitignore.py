"""
Patterns of paths as git has them: ``.gitignore`` of a folder and of those above it, ``.git/info/exclude``, and ours.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec


@dataclass(frozen=True, slots=True)
class Patterns:
    """
    Lists of patterns, each with the folder that it counts from, the outermost first.
    """

    lists: tuple[tuple[str, GitIgnoreSpec], ...] = ()

    @classmethod
    def of(cls, lines: Iterable[str], *, base: Path) -> Patterns:
        """
        Make one list.
        """
        # A file that is named itself is checked without asking any.
        from pathspec import GitIgnoreSpec

        return cls(((str(base).rstrip(os.sep), GitIgnoreSpec.from_lines(lines)),))

    @classmethod
    def above(cls, folder: Path) -> Patterns:
        """
        Read what holds in a folder from the repository that it is in, up to the folder above it.
        """
        repository = next((each for each in (folder, *folder.parents) if (each / ".git").exists()), None)
        if repository is None:
            return cls()
        found = cls().plus(repository, _git_folder(repository) / "info" / "exclude")
        between = [each for each in reversed(folder.parents) if each.is_relative_to(repository)]
        for each in between:
            found = found.within(each)
        return found

    def within(self, folder: Path) -> Patterns:
        """
        Add a folder's own ``.gitignore``.
        """
        return self.plus(folder, folder / ".gitignore")

    def match(self, path: str, *, folder: bool = False) -> bool:
        """
        Tell whether an absolute path is matched; the innermost list that says something of it decides.
        """
        for base, spec in reversed(self.lists):
            if not path.startswith(base + os.sep):
                continue
            relative = path[len(base) + 1 :].replace(os.sep, "/")
            said = spec.check_file(f"{relative}/" if folder else relative).include
            if said is not None:
                return said
        return False

    def plus(self, folder: Path, file: Path) -> Patterns:
        """
        Add a file's patterns, which count from a folder; there need not be such a file.
        """
        try:
            lines = file.read_text("utf-8", "replace").splitlines()
        except OSError:
            return self
        return Patterns((*self.lists, *Patterns.of(lines, base=folder).lists))


NO_PATTERNS = Patterns()


def _git_folder(repository: Path) -> Path:
    git = repository / ".git"
    if git.is_dir():
        return git
    # A worktree or a submodule: the file names the folder, and that the one which all worktrees share.
    try:
        own = repository / git.read_text("utf-8", "replace").removeprefix("gitdir:").strip()
        return own / (own / "commondir").read_text("utf-8", "replace").strip()
    except OSError:
        return git

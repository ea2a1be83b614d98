from __future__ import annotations

import asyncio
import shutil
import stat
import tempfile
from pathlib import Path

import pytest

from warmline.lab.errors import LabError
from warmline.lab.workspace import Workspace


def test_it_is_a_directory_of_ones_own_that_is_gone_at_the_end() -> None:
    with Workspace() as workspace:
        assert workspace.directory.parent == Path(tempfile.gettempdir())
        assert workspace.directory.name.startswith("warmline-lab-")
        assert stat.S_IMODE(workspace.directory.stat().st_mode) == 0o700
        assert workspace.logs == workspace.directory / "logs"
        (workspace.directory / "data" / "deep").mkdir(parents=True)
        (workspace.directory / "data" / "deep" / "file").touch()
        (workspace.logs / "mongod-0.log").touch()

    assert not workspace.directory.exists()
    assert workspace.swept == 0


def test_every_run_has_its_own_mark() -> None:
    first, second = Workspace(), Workspace()

    assert first.environ() == {"WARMLINE_LAB": first.token}
    assert first.token != second.token


def end(workspace: Workspace, error: BaseException, *files: str) -> None:
    """
    Go through a run that makes these files and is ended by the error.
    """
    with workspace:
        for name in files:
            path = workspace.directory / name
            path.parent.mkdir(exist_ok=True)
            path.write_text("why")
        raise error


def test_an_error_keeps_the_logs_and_says_where() -> None:
    workspace, error = Workspace(), ZeroDivisionError()

    with pytest.raises(ZeroDivisionError):
        end(workspace, error, "logs/mongod-0.log", "logs/scratch", "data/journal", "file")

    assert error.__notes__ == [f"logs are kept in {workspace.logs}"]
    left = sorted(path.relative_to(workspace.directory) for path in workspace.directory.rglob("*"))
    assert left == [Path("logs"), Path("logs/mongod-0.log")]
    assert (workspace.logs / "mongod-0.log").read_text() == "why"
    shutil.rmtree(workspace.directory)


@pytest.mark.parametrize("wish", [KeyboardInterrupt, SystemExit, asyncio.CancelledError])
def test_a_wish_to_stop_is_no_error_and_keeps_nothing(wish: type[BaseException]) -> None:
    workspace, error = Workspace(), wish()

    with pytest.raises(wish):
        end(workspace, error, "logs/mongod-0.log")

    assert not hasattr(error, "__notes__")
    assert not workspace.directory.exists()


def test_an_error_before_there_are_logs_leaves_nothing() -> None:
    workspace, error = Workspace(), ZeroDivisionError()

    with pytest.raises(ZeroDivisionError):
        end(workspace, error)

    assert not hasattr(error, "__notes__")
    assert not workspace.directory.exists()


def test_directories_cannot_be_registered_outside_the_block(tmp_path: Path) -> None:
    workspace = Workspace()

    with pytest.raises(LabError, match="use it in its `with` block"):
        workspace.remove_at_end(tmp_path)

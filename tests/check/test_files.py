from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from warmline.check.files import Problem, UnreadableError, content_problem, list_files, read_file
from warmline.check.gitignore import Patterns


def write(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("x")


def listed(root: Path, *paths: str) -> list[str]:
    return list(list_files(paths or (".",), root=root).files)


def test_code_and_templates_are_listed_in_order_whatever_else_there_is(tmp_path: Path) -> None:
    write(tmp_path, "b.py", "a/z.ts", "a/b.go", "template.yaml", "README.md", "Dockerfile")
    assert listed(tmp_path) == ["a/b.go", "a/z.ts", "b.py", "template.yaml"]


@pytest.mark.parametrize("folder", ["node_modules", "vendor", ".venv", "dist", ".aws-sam", "dependencies", "target"])
def test_vendored_and_built_folders_are_skipped_unless_they_are_named(tmp_path: Path, folder: str) -> None:
    write(tmp_path, f"service/{folder}/app.py", "app.py")
    assert listed(tmp_path) == ["app.py"]
    assert listed(tmp_path, f"service/{folder}") == [f"service/{folder}/app.py"]


def test_a_virtual_environment_of_any_name_and_minified_code_are_skipped(tmp_path: Path) -> None:
    write(tmp_path, "env312/pyvenv.cfg", "env312/lib/app.py", "bundle.min.js", "app.js")
    assert listed(tmp_path) == ["app.js"]


def test_what_git_ignores_is_left_out_as_git_does_it(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    write(
        tmp_path, "a.py", "old.py", "deep/old.py", "deep/new.py", "deep/kept/b.py", "out/c.py", "local.py", "x/y/d.py"
    )
    (tmp_path / ".gitignore").write_text("/old.py\nout/\nkept/*\n")
    (tmp_path / "deep" / ".gitignore").write_text("new.py\n!kept/b.py\n")
    (tmp_path / ".git" / "info" / "exclude").write_text("local.py\n")
    command = ["git", "-C", str(tmp_path), "ls-files", "--others", "--exclude-standard", "*.py"]
    by_git = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert listed(tmp_path) == sorted(by_git) == ["a.py", "deep/kept/b.py", "deep/old.py", "x/y/d.py"]


def test_patterns_of_the_repository_hold_in_a_folder_that_is_checked_alone(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    write(tmp_path, "service/app.py", "service/generated.py")
    (tmp_path / ".gitignore").write_text("generated.py\n")
    assert listed(tmp_path / "service") == ["app.py"]


def test_a_worktree_has_the_exclude_file_of_its_repository(tmp_path: Path) -> None:
    git = ["git", "-c", "user.name=n", "-c", "user.email=e", "-C", str(tmp_path / "main")]
    subprocess.run(["git", "init", "-q", tmp_path / "main"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    subprocess.run([*git, "worktree", "add", "-q", str(tmp_path / "tree")], check=True)
    (tmp_path / "main" / ".git" / "info" / "exclude").write_text("local.py\n")
    write(tmp_path / "tree", "app.py", "local.py")
    assert listed(tmp_path / "tree") == ["app.py"]


def test_a_file_that_is_named_is_checked_though_git_ignores_it_and_not_if_the_settings_exclude_it(
    tmp_path: Path,
) -> None:
    write(tmp_path, "app.py", "gen.py")
    (tmp_path / ".gitignore").write_text("app.py\n")
    exclude = Patterns.of(["gen.py"], base=tmp_path)
    assert list_files(["app.py", "gen.py"], root=tmp_path, exclude=exclude).files == ("app.py",)
    assert list_files(["."], root=tmp_path, exclude=exclude).files == ()


def test_what_the_cdk_has_made_is_read_though_git_ignores_it_and_copies_of_code_are_not(tmp_path: Path) -> None:
    write(tmp_path, "cdk.out/App.template.json", "cdk.out/manifest.json", "cdk.out/asset.12/index.js")
    (tmp_path / ".gitignore").write_text("cdk.out\n")
    assert listed(tmp_path) == listed(tmp_path, "cdk.out") == ["cdk.out/App.template.json"]


def test_symbolic_links_are_not_followed_and_a_named_one_that_goes_in_a_circle_is_told(tmp_path: Path) -> None:
    write(tmp_path, "app.py")
    (tmp_path / "again").symlink_to(tmp_path)
    (tmp_path / "circle.py").symlink_to(tmp_path / "circle.py")
    assert listed(tmp_path) == ["app.py"]
    listing = list_files(["circle.py", "gone.py"], root=tmp_path)
    assert listing.files == ()
    assert listing.problems == (
        Problem("circle.py", "a symbolic link that leads back to itself"),
        Problem("gone.py", "No such file or directory"),
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_folder_that_can_not_be_read_is_told_and_the_others_are_listed(tmp_path: Path) -> None:
    write(tmp_path, "a/app.py", "b/app.py")
    (tmp_path / "a").chmod(0)
    try:
        listing = list_files(["."], root=tmp_path)
    finally:
        (tmp_path / "a").chmod(0o700)
    assert listing.files == ("b/app.py",)
    assert listing.problems == (Problem("a", "Permission denied"),)


def test_code_may_have_a_megabyte_and_a_synthesized_template_twenty(tmp_path: Path) -> None:
    for name in ("large.js", "large.json"):
        (tmp_path / name).write_bytes(b" " * 1_000_001)
    assert len(read_file("large.json", root=tmp_path)) == 1_000_001
    with pytest.raises(UnreadableError, match=r"larger than 1 MB: 1\.0 MB"):
        read_file("large.js", root=tmp_path)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"caf\xc3\xa9", None),
        (b"\xef\xbb\xbfusing MongoDB.Driver;", None),
        ("é".encode("utf-16"), "UTF-16: save it as UTF-8"),
        (b"# one\n# caf\xe9", "not UTF-8: byte 0xe9 in line 2"),
    ],
)
def test_text_is_utf_8_with_or_without_a_mark(data: bytes, problem: str | None) -> None:
    assert content_problem("app.py", data) == problem


def test_minified_code_is_not_checked_whatever_its_name() -> None:
    assert content_problem("bundle.js", b"x;" * 20_000) == "looks minified: check what it is made from"
    assert content_problem("app.js", b"const x = 1;\n" * 2_000) is None
    assert content_problem("App.template.json", b"1," * 20_000) is None

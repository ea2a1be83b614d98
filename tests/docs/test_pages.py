from __future__ import annotations

import importlib.util
import re
import types
from dataclasses import fields
from pathlib import Path

import pytest

from warmline import InvocationMetrics
from warmline.lab.experiments import EXPERIMENTS

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def generator() -> types.ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_option_defaults_is_what_the_code_says() -> None:
    module = generator()
    assert module.OPTIONS_PAGE.read_text() == module.options_page(), "run `make docs`"


def test_the_page_of_root_certificates_is_what_the_file_says() -> None:
    module = generator()
    assert module.ROOTS_PAGE.read_text() == module.roots_page(), "run `make docs`"


def test_the_pages_of_the_rules_are_what_the_code_and_the_fixtures_say() -> None:
    module = generator()
    there = {path.name: path.read_text() for path in module.RULES_FOLDER.iterdir()}
    assert there == module.rule_pages(), "run `make docs`"


def test_pages_of_experiments_and_practices_quote_the_figures_of_the_last_run() -> None:
    module = generator()
    for folder, pages in (
        (module.EXPERIMENTS_FOLDER, module.experiment_pages()),
        (module.PRACTICES_FOLDER, module.practice_pages()),
    ):
        assert pages
        for name, page in pages.items():
            assert (folder / name).read_text() == page, "run `make docs`"


def test_every_experiment_has_a_page_with_a_place_for_its_figures() -> None:
    module = generator()
    for experiment in EXPERIMENTS:
        page = (module.EXPERIMENTS_FOLDER / f"{experiment.name}.md").read_text()
        assert page.startswith(f"# {experiment.name}\n")
        assert module.FIGURES.search(page)


def test_figures_go_between_their_marks_and_nothing_else_changes(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# storm\n\n<!-- figures -->\nold\n<!-- /figures -->\n\nBy hand.\n")
    expected = "# storm\n\n<!-- figures -->\nnew \\1\n<!-- /figures -->\n\nBy hand.\n"
    assert generator().with_figures(page, ["new \\1"]) == expected


def test_a_page_without_a_place_for_figures_is_named(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# storm\n")
    with pytest.raises(SystemExit, match=r"page\.md has no lines <!-- figures -->"):
        generator().with_figures(page, [])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text())
    broken = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_python_block_compiles(page: Path) -> None:
    for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
        compile(block, str(page), "exec")


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) < 120


def test_the_page_on_metrics_names_every_metric() -> None:
    page = (ROOT / "docs" / "reference" / "metrics.md").read_text()
    assert [field.name for field in fields(InvocationMetrics) if f"`{field.name}" not in page] == []

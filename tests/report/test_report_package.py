from __future__ import annotations

import subprocess
import sys

import warmline.report


def test_the_public_names_are_sorted_and_complete() -> None:
    assert warmline.report.__all__ == ["print_result", "to_json", "to_page"]


def test_importing_the_package_loads_neither_matplotlib_nor_jinja2_nor_rich() -> None:
    code = "import sys, warmline.report; print({'matplotlib', 'jinja2', 'rich'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "set()"

"""
Takes the figures that the documentation quotes from the last runs of the experiments; `make figures` runs it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from warmline.lab.experiments import EXPERIMENTS
from warmline.report.figures import to_figures
from warmline.report.reading import UnreadableResult, read_result

ROOT = Path(__file__).parents[1]
RUNS = ROOT / "build" / "experiments"
FIGURES = ROOT / "src" / "warmline" / "facts" / "figures"


def main() -> None:
    found = [RUNS / f"{experiment.name}.json" for experiment in EXPERIMENTS]
    missing = [path.stem for path in found if not path.exists()]
    for path in found:
        if path.stem in missing:
            continue
        try:
            figures = to_figures(read_result(path))
        except UnreadableResult as error:
            sys.exit(str(error))
        text = json.dumps(figures, indent=2, ensure_ascii=False, allow_nan=False)
        (FIGURES / path.name).write_text(f"{text}\n")
        print(f"{path.stem}: {figures['date']}")
    if missing:
        print(f"not run, so their figures stay: {', '.join(missing)}; `make experiments` runs all")


if __name__ == "__main__":
    main()

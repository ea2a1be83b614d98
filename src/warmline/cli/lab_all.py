"""
``warmline lab run-all``: every experiment, with its page and its JSON, and a page that leads to them.
"""

from __future__ import annotations

import dataclasses
import time
import traceback
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from warmline.facts.practices import practices_of
from warmline.lab.errors import LabError
from warmline.lab.experiments import EXPERIMENTS, Experiment, ExperimentResult, RunOptions
from warmline.report.document import to_json
from warmline.report.overview import Failed, Ran, to_overview_page
from warmline.report.page import to_page
from warmline.report.wording import clock

from .console import fail, told
from .lab_output import run_measured, stopped


def run_all(
    output: Annotated[Path, typer.Option(help="The folder for NAME.json and NAME.html of each, and index.html.")],
    environments: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=2000,
            help="How many execution environments each variant gets, or each case of it.",
            show_default="each experiment's own",
        ),
    ] = None,
    mongod: Annotated[Path | None, typer.Option(help="The MongoDB server to use instead of the one found.")] = None,
) -> None:
    """
    Run all experiments, one after the other, and write what came out of each.

    One that fails does not keep the others from being run; the exit code is 1 then.

    Example: warmline lab run-all --output results
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
        # What is there from an earlier run must not pass for this one's.
        for stale in (output / f"{experiment.name}{suffix}" for experiment in EXPERIMENTS for suffix in _SUFFIXES):
            stale.unlink(missing_ok=True)
    except OSError as error:
        fail(f"can't write to {output}: {error.strerror}; choose another folder")
    console = Console(stderr=True, highlight=False)
    ended: list[Ran | Failed] = []
    started = time.monotonic()
    for number, experiment in enumerate(EXPERIMENTS, 1):
        options = RunOptions(environments=environments or experiment.environments, mongod=mongod)
        one = _run(experiment, options, f"{number} of {len(EXPERIMENTS)}: {experiment.name}", output)
        ended.append(one)
        how = f"failed: {one.reason}" if isinstance(one, Failed) else one.result.answer
        console.print(Text(f"{clock(one.seconds):>6}  {experiment.name}: {how}"), soft_wrap=True)
        (output / "index.html").write_text(to_overview_page(ended))
    failed = [one.experiment for one in ended if isinstance(one, Failed)]
    console.print(Text(f"{clock(time.monotonic() - started):>6}  all {len(ended)} experiments"))
    console.print(Text(f"Pages: {(output / 'index.html').resolve()}"), soft_wrap=True)
    if failed:
        console.print(Text(f"warmline: {len(failed)} of {len(ended)} failed: {', '.join(failed)}"), soft_wrap=True)
        raise typer.Exit(_SOME_FAILED)


_SOME_FAILED = 1

# A traceback is in the log.
_SUFFIXES = (".json", ".html", ".log")


def _run(experiment: Experiment, options: RunOptions, title: str, output: Path) -> Ran | Failed:
    started = time.monotonic()
    try:
        result = run_measured(
            title, lambda view: experiment.run(dataclasses.replace(options, on_bench=view.on_bench), view.on_progress)
        )
        _write(result, output)
    except (LabError, OSError) as error:
        reason = told(error)
    except KeyboardInterrupt:
        raise stopped() from None
    except Exception as error:
        # A fault of this experiment's own is no reason to lose the others.
        log = output / f"{experiment.name}.log"
        log.write_text(traceback.format_exc())
        reason = f"{type(error).__name__}: {error}; the traceback is in {log}"
    else:
        return Ran(result, practices_of(experiment.name))
    return Failed(experiment.name, time.monotonic() - started, reason)


def _write(result: ExperimentResult, output: Path) -> None:
    (output / f"{result.experiment}.json").write_text(to_json(result) + "\n")
    (output / f"{result.experiment}.html").write_text(to_page(result))

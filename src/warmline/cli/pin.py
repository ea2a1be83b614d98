"""
``warmline pin``: a cluster's SRV and TXT records, for a function to start with.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from pymongo import uri_parser
from pymongo.errors import PyMongoError

from warmline.runtime.pin import FILE, TXT_OPTIONS, VARIABLE, Pin
from warmline.runtime.settings import URI_VARIABLE

from .console import fail

_DNS_MILLISECONDS = 5_000


def pin(
    uri: Annotated[
        str | None,
        typer.Argument(
            help=f"The mongodb+srv:// string, with or without credentials; by default the variable {URI_VARIABLE}."
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The file to write; it belongs into the root of the function's code.")
    ] = Path(FILE),
    json: Annotated[
        bool, typer.Option("--json", help=f"Print the pin instead, in one line: what {VARIABLE} can hold too.")
    ] = False,
) -> None:
    """
    Look a cluster's servers up now, so that the function's cold starts need not.

    Run it when the function is built or deployed. The pin holds no credentials. At start warmline connects to the
    pinned servers; if none of them answers it asks for the records after all. A pin older than 30 days warns.

    Examples:
        warmline pin mongodb+srv://cluster0.abcde.mongodb.net/ --output src/warmline-pin.json

        MONGODB_URI=... warmline pin

        export WARMLINE_PIN="$(warmline pin mongodb+srv://cluster0.abcde.mongodb.net/ --json)"

    """
    found = _resolve(uri or os.environ.get(URI_VARIABLE, ""))
    if json:
        typer.echo(found.text())
        return
    try:
        output.write_text(found.text() + "\n")
    except OSError as error:
        fail(f"can't write {output}: {error.strerror}; choose another file")
    options = ", ".join(f"{name}={value}" for name, value in found.options.items()) or "no options"
    count = len(found.seeds)
    typer.echo(f"{output}: {count} server{'s' * (count > 1)} of {found.host}, {options}")


def _resolve(uri: str) -> Pin:
    if not uri.strip():
        fail(f"there is no URI: pass the mongodb+srv:// string, or set {URI_VARIABLE}")
    if not uri.strip().startswith("mongodb+srv://"):
        fail("only a mongodb+srv:// string has records to pin: copy it from Atlas under Connect > Drivers")
    host = uri.strip().removeprefix("mongodb+srv://").partition("?")[0].partition("/")[0].rpartition("@")[2].lower()
    try:
        # Without credentials and options: what the records say, and nothing of what the URI says.
        records = uri_parser.parse_uri(f"mongodb+srv://{host}/?connectTimeoutMS={_DNS_MILLISECONDS}")
    except (PyMongoError, ValueError) as error:
        fail(f"can't look the cluster up: {error}; check the host name, and that this machine's resolver knows it")
    seeds = tuple(sorted(f"{name}:{port}" for name, port in records["nodelist"]))
    options = {name: records["options"][name] for name in TXT_OPTIONS if name in records["options"]}
    return Pin(host, seeds, options, datetime.now(UTC).date().isoformat())

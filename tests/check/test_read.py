from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from warmline.check import read
from warmline.check.infra.facts import InfraFacts
from warmline.check.infra.readers import READERS

CLUSTER = b'resource "mongodbatlas_cluster" "shop" {\n  name = "shop"\n}\n'


def test_files_that_can_not_be_read_together_are_read_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(files: Mapping[str, bytes]) -> tuple[InfraFacts, ...]:
        raise ZeroDivisionError

    broken = tuple(reader if reader.together is None else replace(reader, together=fails) for reader in READERS)
    monkeypatch.setattr(read, "READERS", broken)
    project = read.read_project({"main.tf": CLUSTER, "more.tf": CLUSTER})
    assert [facts.path for facts in project.infra if facts.clusters] == ["main.tf", "more.tf"]

from __future__ import annotations

import pytest

from warmline.facts import TIERS, AtlasTier, UnknownTierError, atlas_tiers, tier
from warmline.facts.atlas_tiers import Cpu


@pytest.mark.parametrize(
    ("name", "cpu", "connections"),
    [
        ("M0", "general", 500),
        ("Flex", "general", 500),
        ("M10", "general", 1_500),
        ("M20", "general", 3_000),
        ("M30", "general", 3_000),
        ("M40", "general", 6_000),
        ("M50", "general", 16_000),
        ("M60", "general", 32_000),
        ("M80", "general", 96_000),
        ("M140", "general", 96_000),
        ("M200", "general", 128_000),
        ("M300", "general", 128_000),
        ("M40", "low", 4_000),
        ("M50", "low", 16_000),
        ("M60", "low", 32_000),
        ("M80", "low", 64_000),
        ("M140", "low", 96_000),
        ("M200", "low", 128_000),
        ("M300", "low", 128_000),
        ("M400", "low", 128_000),
        ("M700", "low", 128_000),
    ],
)
def test_a_tier_takes_as_many_connections_as_atlas_documents(name: str, cpu: Cpu, connections: int) -> None:
    found = tier(name, cpu)
    assert (found.name, found.cpu, found.connections_per_node) == (name, cpu, connections)


def test_the_table_holds_each_documented_tier_once() -> None:
    assert len({(row.name, row.cpu) for row in TIERS}) == len(TIERS) == 21


def test_only_m10_and_m20_limit_new_connections() -> None:
    limited = {row.name: row.new_connections_per_second for row in TIERS if row.new_connections_per_second}
    assert limited == {"M10": 15, "M20": 15}


def test_only_m0_and_flex_count_the_whole_cluster() -> None:
    assert {row.name for row in TIERS if row.counted == "cluster"} == {"M0", "Flex"}


def test_general_cpu_is_what_a_bare_name_means() -> None:
    assert tier("M40") == AtlasTier("M40", "general", 6_000)


@pytest.mark.parametrize(("name", "cpu"), [("M9", "general"), ("m10", "general"), ("M10", "low"), ("M400", "general")])
def test_an_unknown_tier_raises_one_line_that_names_the_known_ones(name: str, cpu: Cpu) -> None:
    with pytest.raises(UnknownTierError) as raised:
        tier(name, cpu)
    assert str(raised.value) == (
        f"Atlas has no tier '{name}' with {cpu} CPU on AWS; it has "
        "M0, Flex, M10, M20, M30, M40, M50, M60, M80, M140, M200, M300 (general CPU) and "
        "M40, M50, M60, M80, M140, M200, M300, M400, M700 (low CPU)"
    )


def test_the_table_says_where_and_when_it_was_read() -> None:
    for source in (atlas_tiers.SOURCE, atlas_tiers.SOURCE_M0, atlas_tiers.SOURCE_FLEX):
        assert source.startswith("https://www.mongodb.com/docs/atlas/reference/")
    assert atlas_tiers.READ_ON == "2026-11-23"

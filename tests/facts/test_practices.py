from __future__ import annotations

import importlib
import pkgutil
import re
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from warmline.facts import (
    PRACTICES,
    DoesNotApply,
    Filled,
    NotYet,
    Place,
    Practice,
    UnknownPracticeError,
    practices,
)

REPOSITORY = Path(__file__).resolve().parents[2]

PLACES = ("runtime", "rules", "experiment", "page")

SPINE = (
    "reuse-client",
    "limit-hosts",
    "event-loop",
    "private-network",
    "narrow-access-list",
    "idle-time",
    "iam-auth",
    "unified-access",
    "memory",
    "sts-region",
    "connect-at-init",
    "deadline",
    "close-at-shutdown",
    "pool-size",
    "thaw",
    "one-loop",
    "snapstart",
    "managed-instances",
    "connection-budget",
    "app-name",
    "retry-politely",
)


@dataclass(frozen=True)
class Known:
    """
    The names that are really there, by place.
    """

    runtime: frozenset[str]
    rules: frozenset[str]
    experiment: frozenset[str]
    page: frozenset[str]


def false_claims(practice: Practice, known: Known) -> list[str]:
    """
    The places of a practice that claim to be filled and are not.
    """
    claims = []
    for place in PLACES:
        value: Place = getattr(practice, place)
        if not isinstance(value, Filled):
            continue
        if not value.names:
            claims.append(f"{practice.id}: {place} is filled with nothing")
        there: frozenset[str] = getattr(known, place)
        claims += [f"{practice.id}: {place} names {name}" for name in value.names if name not in there]
    return claims


def listed(module: str, attribute: str, key: str) -> set[str]:
    """
    The names in another room's list; none while that room has no such module or list.
    """
    try:
        items = getattr(importlib.import_module(module), attribute, ())
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        return set()
    return {getattr(item, key) for item in items}


def known_now() -> Known:
    defaults = "warmline.runtime.defaults"
    options = listed(defaults, "DEFAULTS", "name") | listed(defaults, "PER_CLUSTER", "name")
    public = importlib.import_module("warmline").__all__
    pages = (REPOSITORY / "docs").rglob("*.md")
    return Known(
        runtime=frozenset({f"option:{name}" for name in options} | {f"warmline.{name}" for name in public}),
        rules=frozenset(listed("warmline.check.rules", "RULES", "id")),
        experiment=frozenset(listed("warmline.lab.experiments", "EXPERIMENTS", "name")),
        page=frozenset(path.relative_to(REPOSITORY).as_posix() for path in pages),
    )


def shown(value: Place) -> str:
    match value:
        case Filled(names):
            return f"{len(names)} there"
        case NotYet():
            return "not yet"
        case DoesNotApply():
            return "-"


def test_every_practice_of_the_spine_is_in_the_catalog_and_in_its_order() -> None:
    assert tuple(practice.id for practice in PRACTICES) == SPINE


def test_ids_are_unique_and_kebab_case() -> None:
    ids = [practice.id for practice in PRACTICES]
    assert len(set(ids)) == len(ids)
    assert [name for name in ids if not re.fullmatch(r"[a-z]+(-[a-z]+)*", name)] == []


def test_each_practice_has_a_file_of_its_own_and_no_file_is_left_out_of_the_list() -> None:
    files = {module.name for module in pkgutil.iter_modules(practices.__path__)}
    assert files == {practice.id.replace("-", "_") for practice in PRACTICES}
    for practice in PRACTICES:
        module = importlib.import_module(f"{practices.__name__}.{practice.id.replace('-', '_')}")
        assert module.PRACTICE is practice


@pytest.mark.parametrize("practice", PRACTICES, ids=lambda practice: practice.id)
def test_a_practice_says_why_and_where_that_was_read(practice: Practice) -> None:
    assert practice.title
    assert practice.why.endswith(".")
    assert practice.sources
    assert all(source.title and source.url.startswith("https://") for source in practice.sources)


@pytest.mark.parametrize("practice", PRACTICES, ids=lambda practice: practice.id)
def test_a_place_that_nothing_can_fill_says_why(practice: Practice) -> None:
    values: list[Place] = [getattr(practice, place) for place in PLACES]
    reasons = [value.because for value in values if isinstance(value, DoesNotApply)]
    assert all(re.fullmatch(r"[A-Za-z].*\.", reason) for reason in reasons)


def test_every_practice_is_explained_on_its_own_page() -> None:
    for practice in PRACTICES:
        assert practice.page == Filled((f"docs/practices/{practice.id}.md",))


def test_what_the_catalog_claims_to_be_there_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    # Shown in every run: the holes are what is left to do.
    with capsys.disabled():
        print_places()
    known = known_now()
    assert "\n".join(claim for practice in PRACTICES for claim in false_claims(practice, known)) == ""


def print_places() -> None:
    print(f"\n{'practice':20}" + "".join(f"{place:>12}" for place in PLACES))
    for practice in PRACTICES:
        print(f"{practice.id:20}" + "".join(f"{shown(getattr(practice, place)):>12}" for place in PLACES))


MADE_UP = Practice(
    id="made-up",
    title="A practice that claims too much",
    why="It is made up.",
    sources=(),
    runtime=NotYet(),
    rules=NotYet(),
    experiment=NotYet(),
    page=NotYet(),
)


@pytest.mark.parametrize(
    ("practice", "claim"),
    [
        (replace(MADE_UP, runtime=Filled(("option:maxIdleTimeMs",))), "runtime names option:maxIdleTimeMs"),
        (replace(MADE_UP, runtime=Filled(("maxIdleTimeMS",))), "runtime names maxIdleTimeMS"),
        (replace(MADE_UP, runtime=Filled(("warmline.disconnect",))), "runtime names warmline.disconnect"),
        (replace(MADE_UP, runtime=Filled(("connect",))), "runtime names connect"),
        (replace(MADE_UP, rules=Filled(("WL000",))), "rules names WL000"),
        (replace(MADE_UP, experiment=Filled(("made-up",))), "experiment names made-up"),
        (replace(MADE_UP, page=Filled(("docs/practices/made-up.md",))), "page names docs/practices/made-up.md"),
        (replace(MADE_UP, page=Filled(("practices/thaw.md",))), "page names practices/thaw.md"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_claim_of_something_that_is_not_there_is_reported(practice: Practice, claim: str) -> None:
    assert false_claims(practice, known_now()) == [f"made-up: {claim}"]


def test_a_place_filled_with_nothing_is_reported() -> None:
    practice = replace(MADE_UP, rules=Filled(()))
    assert false_claims(practice, known_now()) == ["made-up: rules is filled with nothing"]


def test_a_false_claim_beside_true_ones_is_reported() -> None:
    known = Known(frozenset(), frozenset({"WL101", "WL103"}), frozenset(), frozenset())
    practice = replace(MADE_UP, rules=Filled(("WL101", "WL102", "WL103")))
    assert false_claims(practice, known) == ["made-up: rules names WL102"]


def test_a_practice_that_claims_nothing_has_no_false_claims() -> None:
    assert false_claims(MADE_UP, known_now()) == []


def test_a_room_that_is_not_built_yet_lists_nothing() -> None:
    assert listed("warmline.not_built.rules", "RULES", "id") == set()
    assert listed("warmline.facts.places", "RULES", "id") == set()


def test_a_room_that_fails_to_import_something_else_is_not_taken_for_unbuilt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "half_built.py").write_text("import not_installed_anywhere")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="not_installed_anywhere"):
        listed("half_built", "RULES", "id")


def test_a_practice_is_found_by_its_id() -> None:
    assert practices.practice("thaw").id == "thaw"


def test_an_unknown_id_raises_one_line_that_names_the_known_ones() -> None:
    with pytest.raises(UnknownPracticeError) as raised:
        practices.practice("reuse_client")
    assert str(raised.value).startswith("no practice 'reuse_client'; known are reuse-client, limit-hosts, ")
    assert "\n" not in str(raised.value)

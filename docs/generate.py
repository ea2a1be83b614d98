"""
Writes the pages that are made from the code; `make docs` runs it, and a test fails when a page is stale.
"""

from __future__ import annotations

import hashlib
import re
import ssl
from pathlib import Path

from warmline.check.ignores import UNUSED_IGNORE
from warmline.check.rules import RULES, Rule
from warmline.check.source.languages import LANGUAGES
from warmline.facts import PRACTICES
from warmline.facts.figures import FOLDER, Measured, costs, measured
from warmline.report.markdown import to_markdown
from warmline.report.reading import from_document
from warmline.report.wording import spaced
from warmline.runtime import trust
from warmline.runtime.defaults import DEFAULTS, PER_CLUSTER, Default

OPTIONS_PAGE = Path(__file__).parent / "reference" / "options.md"
ROOTS_PAGE = Path(__file__).parent / "reference" / "trust.md"
RULES_FOLDER = Path(__file__).parent / "rules"
EXPERIMENTS_FOLDER = Path(__file__).parent / "experiments"
PRACTICES_FOLDER = Path(__file__).parent / "practices"
FIXTURES = Path(__file__).parents[1] / "tests" / "check" / "rules" / "fixtures"

# What the fixtures' names begin with, as people call it and as a code block is marked.
TITLES = {
    **{language.name: language.title for language in reversed(LANGUAGES)},
    "sam": "AWS SAM",
    "cloudformation": "CloudFormation",
    "serverless": "Serverless Framework",
    "terraform": "Terraform",
}
BLOCKS = {".py": "python", ".js": "javascript", ".ts": "typescript", ".go": "go", ".java": "java", ".cs": "csharp"}
BLOCKS |= {".rb": "ruby", ".rs": "rust", ".yaml": "yaml", ".yml": "yaml", ".json": "json", ".tf": "hcl"}


def value(default: Default) -> str:
    if callable(default.value):
        return "`function:version`"
    if isinstance(default.value, str):
        return f"[{default.value}](trust.md)"
    return "not set" if default.value is None else f"`{default.value}`"


def row(default: Default) -> str:
    return f"| `{default.name}` | {value(default)} | {default.reason} | [source]({default.source}) |"


def options_page() -> str:
    return "\n".join(
        [
            "# Option defaults",
            "",
            "<!-- Made by docs/generate.py from src/warmline/runtime/defaults.py: change it there. -->",
            "",
            "What `connect()` sets when neither you nor the URI does.",
            "Anything you set wins: `connect(maxPoolSize=20)`, or `?maxPoolSize=20` in the URI.",
            "All other options keep PyMongo's defaults.",
            "",
            "| option | value | why | |",
            "| --- | --- | --- | --- |",
            *map(row, DEFAULTS),
            "",
            "## By what the cluster is",
            "",
            "| option | value | why | |",
            "| --- | --- | --- | --- |",
            *map(row, PER_CLUSTER),
            "",
        ]
    )


def roots_page() -> str:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(trust.ROOTS)
    rows = []
    for root, der in zip(context.get_ca_certs(), context.get_ca_certs(binary_form=True), strict=True):
        subject = {name: text for ((name, text),) in root["subject"]}
        month, day, _, year, _ = root["notAfter"].split()
        rows.append(
            f"| {subject['commonName']} | {subject['organizationName']} | {day} {month} {year} | "
            f"`{hashlib.sha256(der).hexdigest()}` |"
        )
    return "\n".join(
        [
            "# Whom a client trusts",
            "",
            "<!-- Made by docs/generate.py from src/warmline/runtime/atlas_roots.pem: change it there. -->",
            "",
            "On Lambda, a client for hosts below `mongodb.net` begins with the roots of the two authorities that "
            "MongoDB names for Atlas's certificates, Let's Encrypt and Google Trust Services.",
            "Reading the system's store instead takes some 20 ms of CPU for every client.",
            "",
            "If a server's certificate is signed by none of them, the system's whole store is added, once, and the "
            "next attempt half a second later goes by all of it; one line in the log says so.",
            "So a change of authority costs half a second of a cold start and no connection.",
            "Host names, dates and signatures are verified as always.",
            "",
            "The few are not used where you have chosen whom to trust, with `tlsCAFile`, `tlsCRLFile`, `tlsInsecure`, "
            "`tlsAllowInvalidCertificates`, `SSL_CERT_FILE` or `SSL_CERT_DIR`, nor with PyOpenSSL (`pymongo[ocsp]`).",
            "",
            "The certificates are those of Debian's package `ca-certificates`, which are Mozilla's.",
            "",
            "| root | organization | valid until | SHA-256 |",
            "| --- | --- | --- | --- |",
            *sorted(rows),
            "",
            "Source: [MongoDB: which certificate authority signs Atlas's certificates]"
            "(https://www.mongodb.com/docs/atlas/reference/faq/security/"
            "#which-certificate-authority-signs-mongodb-atlas-tls-certificates-).",
            "MongoDB names ISRG Root X1 and the four GTS roots; ISRG Root X2 is Let's Encrypt's own other root, which "
            "signs its ECDSA certificates ([chains of trust](https://letsencrypt.org/certificates/)).",
            "",
        ]
    )


def rule_pages() -> dict[str, str]:
    """
    The rules' pages, by their files' names.
    """
    every = (UNUSED_IGNORE, *RULES)
    return {"index.md": rules_index(every), **{f"{rule.id}.md": rule_page(rule) for rule in every}}


def rules_index(every: tuple[Rule, ...]) -> str:
    rows = []
    for rule in every:
        severity = rule.severity.name.lower()
        rows.append(f"| [{rule.id}]({rule.id}.md) | `{rule.name}` | {rule.summary} | {severity} | {practice(rule)} |")
    return "\n".join(
        [
            "# Rules",
            "",
            "<!-- Made by docs/generate.py from src/warmline/check/rules: change it there. -->",
            "",
            "What `warmline check` finds; [how to use it](../checker.md).",
            "`warmline rule WL101` shows the same text without a network.",
            "",
            "| id | name | what it finds | severity | practice |",
            "| --- | --- | --- | --- | --- |",
            *rows,
            "",
        ]
    )


def practice(rule: Rule) -> str:
    return f"[{rule.practice}](../practices/{rule.practice}.md)" if rule.practice else ""


def rule_page(rule: Rule) -> str:
    off = "" if rule.default else " It runs only if it is selected: `--select`."
    lines = [
        f"# {rule.id}: {rule.name}",
        "",
        "<!-- Made by docs/generate.py from src/warmline/check/rules and its fixtures: change it there. -->",
        "",
        f"Severity {rule.severity.name.lower()}{', practice ' + practice(rule) if rule.practice else ''}.{off}",
        "",
        "## What it finds",
        "",
        rule.summary,
        "",
        "## Why it is bad",
        "",
        rule.why,
        "",
        *rule_cost(rule),
        "## What to do",
        "",
        rule.fix,
        "",
    ]
    for reads in rule.reads:
        lines += [f"## {TITLES[reads]}", "", *example(rule, reads, "bad"), *example(rule, reads, "good")]
    if rule.sources:
        lines += ["## References", "", *(f"- [{source.title}]({source.url})" for source in rule.sources), ""]
    return "\n".join(lines)


def rule_cost(rule: Rule) -> list[str]:
    """
    What the experiments of the rule's practice have measured.
    """
    runs = costs(rule.practice) if rule.practice else ()
    if not runs:
        return []
    return ["## What it costs", "", *(f"{run.answer} ({experiment_link(run)})" for run in runs), ""]


def experiment_link(run: Measured) -> str:
    return f"[experiment {run.experiment}](../experiments/{run.experiment}.md)"


# The sentence on every practice's page that has an experiment, after which its figures go.
MEASURES = re.compile(r"The lab measures it: \[experiment [a-z-]+\]\([^)]+\)\.\n")
MARKS = "<!-- figures -->\n<!-- /figures -->\n"
FIGURES = re.compile(r"(?<=<!-- figures -->\n).*?(?=<!-- /figures -->)", re.DOTALL)


def with_figures(page: Path, lines: list[str]) -> str:
    """
    The page with these lines between its marks, and all else as it is.
    """
    text = page.read_text()
    if MARKS[:16] not in text:
        text = MEASURES.sub(lambda sentence: f"{sentence[0]}\n{MARKS}\n", text, count=1)
    if not FIGURES.search(text):
        raise SystemExit(f"{page} has no lines <!-- figures --> and <!-- /figures -->: put them where figures belong")
    return FIGURES.sub(lambda _: "\n".join([*lines, ""]), text, count=1)


def experiment_pages() -> dict[str, str]:
    """
    The experiments' pages with the figures of their last run, by their files' names.
    """
    runs = [run for path in sorted(FOLDER.glob("*.json")) if (run := measured(path.stem)) is not None]
    pages = [(EXPERIMENTS_FOLDER / f"{run.experiment}.md", run) for run in runs]
    return {page.name: with_figures(page, table(run)) for page, run in pages}


def table(run: Measured) -> list[str]:
    result = from_document(run.document)
    parameters = ", ".join(
        f"{spaced(name)} {value:g}" if isinstance(value, float) else f"{spaced(name)} {value}"
        for name, value in result.parameters.items()
    )
    return [
        f"<!-- Made by docs/generate.py from src/warmline/facts/figures/{run.experiment}.json, by the last run. -->",
        "",
        run.answer,
        "",
        to_markdown(result),
        "",
        f"{run.where}; {parameters}.",
        "",
    ]


def practice_pages() -> dict[str, str]:
    """
    The pages of the practices that were measured, with what came out, by their files' names.
    """
    pages = {}
    for each in PRACTICES:
        runs = costs(each.id)
        if runs:
            name = f"{each.id}.md"
            # The page names the first experiment itself.
            answers = [run.answer if run == runs[0] else f"{run.answer} ({experiment_link(run)})" for run in runs]
            pages[name] = with_figures(PRACTICES_FOLDER / name, answers)
    return pages


def example(rule: Rule, reads: str, kind: str) -> list[str]:
    """
    The first fixture of a kind; of a folder each file.
    """
    fixture = min(path for path in (FIXTURES / rule.id).iterdir() if path.name.split(".")[0] == f"{reads}_{kind}")
    files = [fixture] if fixture.is_file() else sorted(path for path in fixture.rglob("*") if path.is_file())
    lines = ["Bad; the comment marks the finding:" if kind == "bad" else "Good:", ""]
    for file in files:
        if len(files) > 1:
            lines += [f"`{file.relative_to(fixture).as_posix()}`", ""]
        lines += [f"```{BLOCKS.get(file.suffix, 'text')}", file.read_text().strip("\n"), "```", ""]
    return lines


if __name__ == "__main__":
    RULES_FOLDER.mkdir(exist_ok=True)
    for stale in {path.name for path in RULES_FOLDER.iterdir()} - rule_pages().keys():
        (RULES_FOLDER / stale).unlink()
    for name, page in rule_pages().items():
        (RULES_FOLDER / name).write_text(page)
    for folder, pages in ((EXPERIMENTS_FOLDER, experiment_pages()), (PRACTICES_FOLDER, practice_pages())):
        for name, page in pages.items():
            (folder / name).write_text(page)
    OPTIONS_PAGE.write_text(options_page())
    ROOTS_PAGE.write_text(roots_page())

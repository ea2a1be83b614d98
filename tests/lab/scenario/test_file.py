from __future__ import annotations

from pathlib import Path

import pytest

from warmline.lab.atlas import AtlasSpec
from warmline.lab.errors import UnusableScenario
from warmline.lab.load import Burst, Callers
from warmline.lab.own import URI
from warmline.lab.scenario import Scenario, read_scenario
from warmline.lab.scenario.events import FORMS

EXAMPLES = Path(__file__).resolve().parents[3] / "examples" / "scenarios"

FUNCTION = '[[functions]]\nhandler = "app.lambda_handler"\nload = "callers:1 for 30s"\n'


def read(folder: Path, text: str) -> Scenario:
    (folder / "app.py").write_text("def lambda_handler(event, context): ...\n")
    (folder / "test.toml").write_text(text)
    return read_scenario(folder / "test.toml")


def test_a_short_one_has_the_defaults_of_lambda_and_of_atlas(tmp_path: Path) -> None:
    scenario = read(tmp_path, FUNCTION)
    assert (scenario.name, scenario.title, scenario.events) == ("test", "test", ())
    assert scenario.command == f"warmline lab run --scenario {tmp_path}/test.toml"
    assert scenario.cluster == AtlasSpec()
    (function,) = scenario.functions
    assert function.payload == b"{}"
    assert [load.pattern for load in function.loads] == [Callers(1, 30)]
    spec = function.spec
    assert (spec.name, spec.code, spec.memory_mb, spec.timeout_seconds) == ("app", tmp_path, 128, 3.0)
    assert (spec.reserved_concurrency, spec.start) == (None, "exec")
    assert spec.environment == {"MONGODB_URI": URI}


def test_all_keys_are_read(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "main.py").write_text("def run(event, context): ...\n")
    (tmp_path / "arrivals.csv").write_text("0\n40\n")
    scenario = read(
        tmp_path,
        """
        name = "all"
        title = "All keys"
        [cluster]
        kind = "sharded"
        members = 1
        tls = false
        auth = "none"
        tier = "M30"
        faces = 4
        [[functions]]
        name = "orders"
        code = "lib"
        handler = "main.run"
        runtime = "python3.12"
        memory = 512
        timeout = "1.5s"
        concurrency = 9
        provisioned = 2
        idle = "5s"
        start = "zygote"
        monotonic = "runs"
        network = "own"
        environment = { DATABASE = "{uri}&retryReads=false" }
        event = { id = 7, tags = ["a"] }
        load = ["burst:3", "csv:arrivals.csv"]
        [[events]]
        at = "40s"
        do = "black hole node 4 for 500ms"
        """,
    )
    assert (scenario.name, scenario.title) == ("all", "All keys")
    assert scenario.cluster == AtlasSpec("sharded", 1, tls=False, auth="none", tier="M30", faces=4, through_front=True)
    (function,) = scenario.functions
    assert function.payload == b'{"id": 7, "tags": ["a"]}'
    assert [load.seconds for load in function.loads] == [0.0, 40.0]
    assert function.loads[0].pattern == Burst(3)
    spec = function.spec
    assert (spec.name, spec.code, spec.handler, spec.runtime) == ("orders", tmp_path / "lib", "main.run", "python3.12")
    assert (spec.memory_mb, spec.timeout_seconds, spec.reserved_concurrency) == (512, 1.5, 9)
    assert (spec.provisioned_concurrency, spec.idle_seconds, spec.start) == (2, 5.0, "zygote")
    assert spec.network == "own"
    assert spec.environment == {"MONGODB_URI": URI, "DATABASE": f"{URI}&retryReads=false"}
    (event,) = scenario.events
    assert (event.at, event.text, event.lasts) == (40.0, "black hole node 4 for 500ms", 0.5)


TEMPLATE = """
Resources:
  OrdersFunction:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: ., Handler: app.lambda_handler, MemorySize: 512, ReservedConcurrentExecutions: 7, Timeout: 9}
  ItemsFunction:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: ., Handler: app.lambda_handler}
"""


def test_a_function_of_a_template_is_as_that_says_but_for_what_the_file_says(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    text = '[[functions]]\ntemplate = "template.yaml"\nfunction = "OrdersFunction"\nload = "callers:1 for 30s"\n'

    (function,) = read(tmp_path, text).functions
    spec = function.spec
    assert (function.name, spec.handler, spec.code) == ("OrdersFunction", "app.lambda_handler", tmp_path)
    assert (spec.memory_mb, spec.timeout_seconds, spec.reserved_concurrency) == (512, 9, 7)
    (note,) = function.notes
    assert note.startswith("MONGODB_URI is the lab's cluster: no variable looks like a connection string")

    (function,) = read(tmp_path, text + 'name = "orders"\nmemory = 256\nconcurrency = 3\n').functions
    assert (function.name, function.spec.memory_mb, function.spec.reserved_concurrency) == ("orders", 256, 3)
    assert function.spec.timeout_seconds == 9

    with pytest.raises(UnusableScenario, match=r"functions\[0\].function: name one of OrdersFunction, ItemsFunction"):
        read(tmp_path, text.replace('function = "OrdersFunction"\n', ""))
    with pytest.raises(UnusableScenario, match=r"functions\[0\].function: it is a logical id, and needs its template"):
        read(tmp_path, text.replace('template = "template.yaml"', 'handler = "app.lambda_handler"'))


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.toml")), ids=lambda path: path.stem)
def test_the_examples_can_be_read(path: Path) -> None:
    assert read_scenario(path).events


EVENT = f'{FUNCTION}[[events]]\nat = "1s"\ndo = '


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[cluster\n", "test.toml is not TOML: .*line 1"),
        ("", "test.toml: functions: there is none: describe one below"),
        (FUNCTION + FUNCTION, "functions: two are called app"),
        (f"{FUNCTION}[clutser]\n", "clutser: there is no such key but .*; did you mean cluster?"),
        (f"{FUNCTION}memroy = 512\n", r"functions\[0\].memroy: there is no such key but .*; did you mean memory?"),
        (f"{FUNCTION}memory = 64\n", r"functions\[0\].memory: 128 to 10,240, not 64"),
        (f'{FUNCTION}memory = "512"\n', r"functions\[0\].memory: a whole number, not '512'"),
        (f"{FUNCTION}memory = true\n", r"functions\[0\].memory: a whole number, not True"),
        (f"{FUNCTION}timeout = 3\n", r"functions\[0\].timeout: a text, not 3"),
        (f'{FUNCTION}timeout = "3"\n', r"functions\[0\].timeout: '3' is no time: write it as 250ms, 30s, 2min or 1h"),
        (f'{FUNCTION}start = "zygot"\n', r"start: 'zygote' or 'exec', not 'zygot'; did you mean zygote?"),
        (f"{FUNCTION}environment = {{ A = 1 }}\n", r"functions\[0\].environment.A: a text, not 1"),
        (f"{FUNCTION}event = 2026-01-01\n", r"functions\[0\].event: it becomes JSON, and object of type date"),
        (f'{FUNCTION}code = "nowhere"\n', r"functions\[0\]: .*nowhere"),
        (f"{FUNCTION}concurrency = 2\nprovisioned = 3\n", r"functions\[0\]: .*provisioned concurrency of 3"),
        ('[[functions]]\nload = "burst:1"\n', r"functions\[0\]: no function is named"),
        ('[[functions]]\nhandler = "app.lambda_handler"\n', r"functions\[0\].load: a text such as 'constant:20/s"),
        (FUNCTION.replace("callers", "caller"), r"functions\[0\].load: .*did you mean callers?"),
        ("functions = [1]\n", r"functions\[0\]: a table, not 1: write it below \[\[functions\]\]"),
        ("functions = 1\n", "functions: a list, not 1"),
        (f'{FUNCTION}[cluster]\nkind = "shraded"\n', "cluster.kind: .*, not 'shraded'; did you mean sharded?"),
        (f'{FUNCTION}[cluster]\ntier = "M11"\n', "test.toml: cluster: .*M11"),
        (f"{FUNCTION}[cluster]\nmembers = 2\n", "test.toml: cluster: .*1, 3, 5 or 7 members"),
        (f'{FUNCTION}[cluster]\ntls = "no"\n', "cluster.tls: true or false, not 'no'"),
        (f'{EVENT}"stepdown"\n', r"events\[0\].do: there is no event 'stepdown'; did you mean 'step down'?"),
        (f'{EVENT}"explode"\n', r"events\[0\].do: there is no event 'explode'; for example 'step down', "),
        (f'{EVENT}"black hole zone d for 1s"\n', r"events\[0\].do: there is no zone d here: the cluster has 3 nodes"),
        (f'{EVENT}"restart node 4"\n', r"events\[0\].do: there is no node 4 here"),
        (f'{EVENT}"deploy order"\n', r"events\[0\].do: .*there is no function 'order' here but app"),
        (
            f'{EVENT}"rotate password"\n[cluster]\nauth = "iam"\n',
            r"events\[0\].do: with auth = 'iam' the functions have",
        ),
        (f'{FUNCTION}[[events]]\nat = "31s"\ndo = "step down"\n', r"events\[0\].at: the load ends at 30s, before that"),
        (f'{FUNCTION}[[events]]\ndo = "step down"\n', r"events\[0\].at: it is missing: a text"),
    ],
)
def test_a_mistake_is_one_line_with_file_key_and_what_is_allowed(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(UnusableScenario, match=says) as caught:
        read(tmp_path, text)
    assert "\n" not in str(caught.value)
    assert "test.toml" in str(caught.value)


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UnusableScenario, match=r"can't read .*none.toml: No such file"):
        read_scenario(tmp_path / "none.toml")


def test_the_docs_name_every_event_and_have_the_example_as_it_is() -> None:
    page = (EXAMPLES.parents[1] / "docs" / "scenarios.md").read_text()
    assert [form.example for form in FORMS if f"| `{form.example}` |" not in page] == []
    # Its comment is for those who have only the file.
    example = (EXAMPLES / "step-down.toml").read_text().partition("\n")[2]
    assert example in page

"""
Go: the official driver, versions 1 and 2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from ...values import HOLE
from ..facts import Import
from ..functions import CallSite, Function, Functions
from ..language import Arguments, Construction, Constructor, Language, Part
from ..tree import Source, find, names, text
from .go_options import construction

_QUERY = """
(function_declaration name: (_) @function.name) @function
(method_declaration name: (_) @function.name) @function
(short_var_declaration
  left: (expression_list . (identifier) @function.name) right: (expression_list . (func_literal) @function))
(assignment_statement
  left: (expression_list . (_) @function.name) right: (expression_list . (func_literal) @function))
(var_spec name: (identifier) @function.name value: (expression_list . (func_literal) @function))
(call_expression function: [(identifier) @callee (selector_expression field: (_) @callee)]) @call
"""

_IDENTIFIERS = frozenset({"identifier", "field_identifier"})
_DECLARATIONS = frozenset({"short_var_declaration", "var_spec", "const_spec"})
_FUNCTIONS = frozenset({"function_declaration", "method_declaration", "func_literal"})

_LAMBDA = "github.com/aws/aws-lambda-go/lambda"
_EVENTS = "github.com/aws/aws-lambda-go/events"

# What runs a handler, by its package, and which argument that is.
_RUNNERS = {
    f"{_LAMBDA}.Start": 0,
    f"{_LAMBDA}.StartHandler": 0,
    f"{_LAMBDA}.StartHandlerFunc": 0,
    f"{_LAMBDA}.StartWithOptions": 0,
    f"{_LAMBDA}.StartWithContext": 1,
    f"{_LAMBDA}.StartHandlerWithContext": 1,
    "github.com/akrylysov/algnhsa.ListenAndServe": 0,
    "github.com/apex/gateway.ListenAndServe": 1,
    "github.com/apex/gateway/v2.ListenAndServe": 1,
}

# With one of these a file's routes are what Lambda calls.
_ADAPTERS = (
    "github.com/aws/aws-lambda-go",
    "github.com/awslabs/aws-lambda-go-api-proxy",
    "github.com/akrylysov/algnhsa",
)
_ROUTE = re.compile(r"Handle(Func)?|Method(Func)?|GET|POST|PUT|PATCH|DELETE|Any|Get|Post|Put|Patch|Delete")
_ROUTE_PATH = re.compile(r"([A-Z]+ )?\S*/")

# Durations are counted in the unit of MongoDB's options.
_MILLISECONDS = {"time.Millisecond": "1", "time.Second": "1000", "time.Minute": "60000", "time.Hour": "3600000"}

_CONVERSION = re.compile(r"u?int(8|16|32|64)?|float(32|64)|string|time\.Duration")

# %s, %-10d, %[1]s, %%
_VERB = re.compile(r"%[-+# 0]*[\d.]*(?:\[\d+\])?([a-zA-Z%])")


def _imports(source: Source) -> Iterator[Import]:
    for node in source.find(frozenset({"import_spec"})):
        path, alias = node.child_by_field_name("path"), node.child_by_field_name("name")
        if path is not None:
            module = text(path).strip('"`')
            yield Import(text(alias) if alias is not None else _package(module), module, None, source.at(node))


def _package(module: str) -> str:
    last = module.rpartition("/")[2]
    # example.com/driver/v2 is package driver.
    return module.split("/")[-2] if last[:1] == "v" and last[1:].isdigit() and "/" in module else last


def _entries(source: Source) -> Iterator[Node]:
    modules = {found.name: found.module for found in _imports(source)}
    routes = any(module.startswith(_ADAPTERS) for module in modules.values())
    for call in source.find(frozenset({"call_expression"})):
        function, given = call.child_by_field_name("function"), _arguments(call).positional
        if function is None or not given:
            continue
        package, _, name = text(function).rpartition(".")
        place = _RUNNERS.get(f"{modules.get(package or '.')}.{name}")
        if place is not None:
            yield from given[place : place + 1]
        elif routes and package not in modules and _ROUTE.fullmatch(name) and _ROUTE_PATH.match(text(given[0])[1:-1]):
            yield from given[1:]


def _handler(function: Function, source: Source) -> str | None:
    """
    A function that takes one of Lambda's events, in a file that does not itself say what the handler is.
    """
    if not any("events." in text(parameter) for parameter in function.parameters):
        return None
    if not any(found.module == _EVENTS and found.name == "events" for found in _imports(source)):
        return None
    return "its parameters" if next(_entries(source), None) is None else None


def _means(call: CallSite, function: Function, functions: Functions) -> bool:
    """
    ``connect()`` is no method, ``x.Connect()`` no function, and ``mongo.Connect()`` is the other package's.
    """
    written = call.callee.parent
    if written is None or written.type != "selector_expression":
        return function.node.type != "method_declaration" and "." not in function.name
    operand = written.child_by_field_name("operand")
    if operand is None or text(operand) in functions.imported:
        return False
    return function.node.type == "method_declaration" or "." in function.name


def _outliving(function: Node) -> set[str]:
    # Everybody's err is no sign of what is kept.
    local: set[str] = {"err"}
    for declaration in find(function, _DECLARATIONS):
        left = declaration.child_by_field_name("left") or declaration.child_by_field_name("name")
        if left is not None:
            local |= names(left, frozenset({"identifier"}))
    for field in ("parameters", "result"):
        if (declared := function.child_by_field_name(field)) is not None:
            local |= names(declared, frozenset({"identifier"}))
    found: set[str] = set()
    for assignment in find(function, frozenset({"assignment_statement"})):
        left = assignment.child_by_field_name("left")
        if left is not None:
            found |= names(left, _IDENTIFIERS)
    return (kept := found - local) | _other_names(function, kept)


def _other_names(function: Node, kept: set[str]) -> set[str]:
    """
    The locals that are given what is kept: ``client, found := clients[uri]``.
    """
    found: set[str] = set()
    for declaration in find(function, frozenset({"short_var_declaration"})):
        left, right = declaration.child_by_field_name("left"), declaration.child_by_field_name("right")
        if left is None or right is None or len(right.named_children) != 1:
            continue
        value = right.named_children[0]
        if (
            value.type in ("identifier", "selector_expression", "index_expression")
            and names(value, _IDENTIFIERS) & kept
        ):
            found |= names(left, frozenset({"identifier"}))
    return found - {"err"}


def _asked(condition: Node) -> Node | None:
    # if client, found := clients[uri]; found
    return condition.child_by_field_name("initializer") or condition.child_by_field_name("condition")


def _arguments(call: Node) -> Arguments:
    given = call.child_by_field_name("arguments")
    positional = tuple(node for node in given.named_children if node.type != "comment") if given is not None else ()
    return Arguments(positional, complete=not any(node.type == "variadic_argument" for node in positional))


def _construction(call: Node, constructor: Constructor, source: Source) -> Construction:
    return construction(_arguments(call).positional[constructor.uri or 0 :], source)


def _literal(node: Node) -> tuple[Part, ...] | None:
    match node.type:
        case "interpreted_string_literal" | "raw_string_literal":
            return (text(node)[1:-1],)
        case "int_literal" | "float_literal":
            return (text(node).replace("_", ""),)
        case "true" | "false":
            return (node.type,)
        case "nil":
            return ("null",)
        case "selector_expression" if text(node) in _MILLISECONDS:
            return (_MILLISECONDS[text(node)],)
        case "type_conversion_expression" | "call_expression":
            return _converted(node)
    return None


def _converted(call: Node) -> tuple[Part, ...] | None:
    """
    The text of ``fmt.Sprintf("…%s…", …)`` and of conversions that leave a value as it is.
    """
    function, given = call.child_by_field_name("function"), _arguments(call).positional
    if function is None or not given:
        return None
    name = text(function)
    if name == "fmt.Sprintf" and given[0].type in ("interpreted_string_literal", "raw_string_literal"):
        return tuple(_formatted(text(given[0])[1:-1], given[1:]))
    # What is put in has the place of a password or a host.
    return given[:1] if _CONVERSION.fullmatch(name) or name in ("strings.Replace", "strings.ReplaceAll") else None


def _formatted(form: str, given: tuple[Node, ...]) -> Iterator[Part]:
    end, place = 0, 0
    for verb in _VERB.finditer(form):
        yield form[end : verb.start()]
        end = verb.end()
        if verb[1] == "%":
            yield "%"
        else:
            yield given[place] if place < len(given) and "[" not in verb[0] else HOLE
            place += 1
    yield form[end:]


def _environment(node: Node) -> tuple[str, Node | None] | None:
    if node.type == "call_expression":
        function = node.child_by_field_name("function")
        given = _arguments(node).positional
        if function is not None and text(function) in ("os.Getenv", "os.LookupEnv") and given:
            return text(given[0]).strip('"`'), None
    return None


def _unpacked(source: Source) -> Iterator[tuple[str, str]]:
    """
    ``uri, found := os.LookupEnv("MONGODB_URI")``.
    """
    for statement in source.find(frozenset({"short_var_declaration", "assignment_statement"})):
        left, right = statement.child_by_field_name("left"), statement.child_by_field_name("right")
        if left is None or right is None or len(left.named_children) < 2 or not right.named_children:
            continue
        if (read := _environment(right.named_children[0])) is not None:
            yield text(left.named_children[0]), read[0]


LANGUAGE = Language(
    name="go",
    title="Go",
    extensions=(".go",),
    comment="//",
    grammar=("tree_sitter_go", "language"),
    mentions=(b"mongo-driver", b"mongodb://", b"mongodb+srv://"),
    query=_QUERY,
    constructors=(
        # uri: where the options begin, which hold the connection string.
        Constructor(driver="mongo-go-driver", call=r"go\.mongodb\.org/mongo-driver/mongo\.Connect", uri=1),
        Constructor(driver="mongo-go-driver", call=r"go\.mongodb\.org/mongo-driver/mongo\.NewClient"),
        Constructor(driver="mongo-go-driver", call=r"go\.mongodb\.org/mongo-driver/v2/mongo\.Connect"),
    ),
    functions=_FUNCTIONS,
    assignments=frozenset({"assignment_statement"}),
    declarations=_DECLARATIONS,
    identifiers=_IDENTIFIERS,
    once_calls=frozenset({"Do", "OnceValue", "OnceValues", "OnceFunc"}),
    init_names=frozenset({"init", "main"}),
    closers=frozenset({"Disconnect"}),
    imports=_imports,
    handler=_handler,
    outliving=_outliving,
    asked=_asked,
    means=_means,
    arguments=_arguments,
    construction=_construction,
    literal=_literal,
    environment=_environment,
    unpacked=_unpacked,
    entries=_entries,
)

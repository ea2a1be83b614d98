"""
Java: the official drivers, and Spring's templates where the client is built by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from ..facts import Import
from ..functions import CallSite, Function, Functions
from ..language import Arguments, Construction, Constructor, Language, Part
from ..tree import Source, ancestors, find, names, target, text, written
from . import java_options as options

# An object's fields are given their values by its constructor, though they stand beside it.
_QUERY = """
(method_declaration name: (_) @function.name) @function
(constructor_declaration name: (_) @function.name) @function
((class_declaration name: (_) @function.name body: (class_body (field_declaration (modifiers) @_modifiers) @function))
  (#not-match? @_modifiers "static"))
(class_declaration name: (_) @function.name body: (class_body (field_declaration . type: (_)) @function))
(method_invocation name: (_) @callee) @call
(object_creation_expression type: (_) @callee) @call
((method_declaration
  (modifiers (marker_annotation name: (_) @_bean)) type: (generic_type (type_identifier) @_type)
  body: (block (return_statement (lambda_expression) @entry)))
  (#eq? @_bean "Bean") (#any-of? @_type "Function" "Consumer" "Supplier"))
"""

# Containers call a method so annotated once and keep what it returns, unless its scope says otherwise.
_KEPT = re.compile(r"@(Bean|Singleton|ApplicationScoped|Cacheable|Memoized)\b")
_ANEW = re.compile(
    r"""@(RequestScope|RequestScoped|Prototype|Dependent)\b|@Scope\([^)]*(prototype|PROTOTYPE|request)"""
)

_LAMBDA = "com.amazonaws.services.lambda.runtime"
_HANDLERS = re.compile(r"\bRequest(Stream)?Handler\b")

_FORMAT = re.compile(r"%(?:(\d+)\$)?[-#+ 0,(]*\d*(?:\.\d+)?([sdSnx%])")


def _imports(source: Source) -> Iterator[Import]:
    for node in source.find(frozenset({"import_declaration"})):
        dotted = next((text(child) for child in node.named_children), "")
        module, _, name = dotted.rpartition(".")
        yield Import(name, module, name, source.at(node))


def _handler(function: Function, source: Source) -> str | None:
    """
    A method of a class that implements Lambda's interfaces, or one that takes Lambda's context.
    """
    if function.node.type != "method_declaration":
        return None
    if function.short in ("handleRequest", "handleRequestStream"):
        outer = next((outer for outer in ancestors(function.node) if outer.type == "class_declaration"), None)
        above = (
            [outer.child_by_field_name(field) for field in ("interfaces", "superclass")] if outer is not None else []
        )
        if any(part is not None and _HANDLERS.search(text(part)) for part in above):
            return "its class implements Lambda's interface"
    takes = {text(kind) for node in function.parameters if (kind := node.child_by_field_name("type")) is not None}
    if takes & {"Context", f"{_LAMBDA}.Context"} and _LAMBDA.encode() in source.data:
        return "its parameters"
    return None


def _cached(function: Node) -> bool:
    if function.type != "method_declaration":
        return False
    modifiers = next((text(child) for child in function.named_children if child.type == "modifiers"), "")
    if _KEPT.search(modifiers):
        return _ANEW.search(modifiers) is None
    # Spring's base class declares this bean.
    outer = next((outer for outer in ancestors(function) if outer.type == "class_declaration"), None)
    base = outer.child_by_field_name("superclass") if outer is not None else None
    name = function.child_by_field_name("name")
    return (
        base is not None
        and re.search(r"\bAbstract(Reactive)?Mongo(Client)?Configuration\b", text(base)) is not None
        and name is not None
        and text(name) in ("mongoClient", "reactiveMongoClient", "mongo", "mongoClientSettings")
    )


def _means(call: CallSite, function: Function, functions: Functions) -> bool:
    """
    Tell by what stands before the dot whether a method of this file may be meant.
    """
    outer = call.node.child_by_field_name("object")
    if outer is None or text(outer) in ("this", "super"):
        return True
    made = outer
    if outer.type == "method_invocation":
        # As in Database.getInstance().connect().
        made = outer.child_by_field_name("object") or outer
        name = outer.child_by_field_name("name")
        if name is None or not functions.named(text(name)):
            return False
        if made is outer:
            return True
    kind = made.child_by_field_name("type") if made.type == "object_creation_expression" else None
    owner = text(kind) if kind is not None else options.type_of(made) or text(made)
    owners = {owner, *functions.classes.get(owner, ())}
    return functions.class_of(function) in owners


def _bases(node: Node) -> tuple[str, ...]:
    above = node.child_by_field_name("superclass")
    return tuple(text(kind) for kind in find(above, frozenset({"type_identifier"}))) if above is not None else ()


def _outliving(function: Node) -> set[str]:
    local = {
        text(name)
        for declarator in find(function, options.DECLARATIONS)
        if (name := declarator.child_by_field_name("name")) is not None
    }
    if function.type == "field_declaration":
        return local
    parameters = function.child_by_field_name("parameters")
    if parameters is not None:
        local |= names(parameters, frozenset({"identifier"}))
    found: set[str] = set()
    for assignment in find(function, options.ASSIGNMENTS):
        left = target(assignment)
        if left is None:
            continue
        if left.type == "field_access":
            # this.client outlives the call, whatever a local is called.
            found |= names(left, frozenset({"identifier"}))
        else:
            found |= names(left, frozenset({"identifier"})) - local
    return found


def _arguments(call: Node) -> Arguments:
    return Arguments(options.arguments(call))


def _construction(call: Node, constructor: Constructor, source: Source) -> Construction | None:
    given = options.arguments(call)
    if constructor.driver == "spring-data-mongodb":
        found = options.construction(given[:1], source)
        # With a client that is there already it constructs none.
        return found if found.uri is not None else None
    if call.type == "object_creation_expression" and b"com.mongodb" not in source.data:
        return None
    return options.construction(given, source)


def _literal(node: Node) -> tuple[Part, ...] | None:
    match node.type:
        case "string_literal":
            return ("".join(text(child) for child in node.named_children),)
        case "decimal_integer_literal" | "decimal_floating_point_literal":
            return (text(node).replace("_", "").rstrip("LlDdFf"),)
        case "true" | "false":
            return (node.type,)
        case "null_literal":
            return ("null",)
        case "method_invocation":
            return _made_text(node)
    return None


def _made_text(call: Node) -> tuple[Part, ...] | None:
    """
    ``String.format("…%s…", part)``, ``"…%s…".formatted(part)``, and a text as characters.
    """
    name, outer = call.child_by_field_name("name"), call.child_by_field_name("object")
    given = options.arguments(call)
    if name is None or outer is None:
        return None
    if text(name) in ("toCharArray", "trim", "toString", "strip") and not given:
        return (outer,) if _is_text(outer) else None
    if text(name) == "format" and text(outer) == "String" and given and given[0].type == "string_literal":
        return tuple(_formatted(given[0], given[1:]))
    if text(name) == "formatted" and outer.type == "string_literal":
        return tuple(_formatted(outer, given))
    return None


def _is_text(node: Node) -> bool:
    return node.type in ("string_literal", "identifier") or _environment(node) is not None


def _formatted(string: Node, given: tuple[Node, ...]) -> Iterator[Part]:
    whole = "".join(text(child) for child in string.named_children)
    end = number = 0
    for found in _FORMAT.finditer(whole):
        yield whole[end : found.start()]
        end = found.end()
        if found[2] in "%n":
            yield found[2].replace("n", "\n")
            continue
        place = int(found[1]) - 1 if found[1] else number
        number += not found[1]
        yield given[place] if place < len(given) else "{}"
    yield whole[end:]


def _environment(node: Node) -> tuple[str, Node | None] | None:
    if node.type != "method_invocation":
        return None
    name, outer, given = node.child_by_field_name("name"), node.child_by_field_name("object"), options.arguments(node)
    if name is None or outer is None:
        return None
    if text(name) == "getenv" and given:
        return written(given[0], options.ASSIGNMENTS | options.DECLARATIONS, options.FUNCTIONS), None
    if text(name) in ("get", "getOrDefault") and given and re.fullmatch(r"(System\.)?getenv\(\)", text(outer)):
        return written(given[0], options.ASSIGNMENTS | options.DECLARATIONS, options.FUNCTIONS), given[1] if len(
            given
        ) > 1 else None
    if text(name) == "orElse" and given and (inner := options.arguments(outer)):
        # As in Optional.ofNullable(System.getenv("…")).orElse("…").
        read = _environment(inner[0])
        return (read[0], given[0]) if read is not None else None
    return None


LANGUAGE = Language(
    name="java",
    title="Java",
    extensions=(".java",),
    comment="//",
    grammar=("tree_sitter_java", "language"),
    mentions=(b"com.mongodb", b"org.springframework.data.mongodb", b"mongodb://", b"mongodb+srv://"),
    query=_QUERY,
    qualified=True,
    constructors=(
        Constructor(
            driver="mongodb-driver-reactivestreams",
            call=r"com\.mongodb\.reactivestreams\.client\.MongoClients\.create",
            asynchronous=True,
        ),
        Constructor(driver="mongodb-driver", call=r"(com\.mongodb\.client\.)?MongoClients\.create"),
        Constructor(driver="mongodb-driver", call=r"new (com\.mongodb\.)?MongoClient"),
        Constructor(
            driver="spring-data-mongodb",
            call=r"new ([\w.]+\.)?Simple(Reactive)?Mongo(Client)?(Database|Db)Factory",
        ),
    ),
    functions=options.FUNCTIONS,
    run_once=frozenset({"static_initializer"}),
    assignments=options.ASSIGNMENTS,
    declarations=options.DECLARATIONS,
    conditions=frozenset({"if_statement", "ternary_expression"}),
    once_calls=frozenset({"computeIfAbsent", "memoize"}),
    classes=frozenset({"class_declaration", "record_declaration", "enum_declaration"}),
    closers=frozenset({"close"}),
    imports=_imports,
    handler=_handler,
    outliving=_outliving,
    cached=_cached,
    means=_means,
    bases=_bases,
    arguments=_arguments,
    construction=_construction,
    literal=_literal,
    environment=_environment,
)

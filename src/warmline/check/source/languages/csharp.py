"""
C#: the official driver.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from ..facts import Import, Lifetime
from ..functions import CallSite, Function, Functions
from ..language import Arguments, Construction, Constructor, Language, Part
from ..tree import Source, definition, find, last_name, names, target, text, written
from . import csharp_options as options

# An object's fields are given their values by its constructor, though they stand beside it; what a property with a body
# has is made anew by each read of it.
_QUERY = """
(method_declaration name: (_) @function.name) @function
(local_function_statement name: (_) @function.name) @function
(constructor_declaration name: (_) @function.name) @function
(property_declaration name: (_) @function.name value: (arrow_expression_clause) @function)
(property_declaration name: (_) @function.name accessors: (accessor_list (accessor_declaration body: (_)) @function))
((class_declaration name: (_) @function.name
  body: (declaration_list [(field_declaration) (property_declaration accessors: (_) value: (_))] @function))
  (#not-match? @function "^[^=]*\\\\b(static|const)\\\\b"))
(variable_declarator name: (_) @function.name [(lambda_expression) (anonymous_method_expression)] @function)
(invocation_expression function: [
  (identifier) @callee
  (generic_name (identifier) @callee)
  (member_access_expression name: (identifier) @callee)
  (member_access_expression name: (generic_name (identifier) @callee))
  (conditional_access_expression (member_binding_expression name: (identifier) @callee))]) @call
(object_creation_expression type: [
  (identifier) @callee
  (generic_name (identifier) @callee)
  (qualified_name name: (identifier) @callee)]) @call
(implicit_object_creation_expression "new" @callee) @call
(identifier) @callee
((invocation_expression
  function: (member_access_expression expression: (identifier) @_builder name: _ @_create)
  arguments: (argument_list . (argument (_) @entry .)))
  (#any-of? @_builder "LambdaBootstrapBuilder" "HandlerWrapper") (#match? @_create "^(Create|GetHandlerWrapper)"))
"""


def _imports(source: Source) -> Iterator[Import]:
    for node in source.find(frozenset({"using_directive"})):
        module = next((text(child) for child in node.named_children), "")
        yield Import(module.rpartition(".")[2], module, None, source.at(node))


def _handler(function: Function, source: Source) -> str | None:
    if function.node.type not in ("method_declaration", "local_function_statement", "lambda_expression"):
        return None
    if any("ILambdaContext" in text(parameter) for parameter in function.parameters):
        return "its parameters"
    attributes = (text(child) for child in function.node.named_children if child.type == "attribute_list")
    if any(re.search(r"\bLambdaFunction\b", attribute) for attribute in attributes):
        return "its attribute"
    if function.short in ("FunctionHandler", "FunctionHandlerAsync") and b"Amazon.Lambda" in source.data:
        return "its name"
    return None


def _cached(function: Node) -> bool:
    if function.type == "constructor_declaration":
        return any(child.type == "modifier" and text(child) == "static" for child in function.children)
    # The host calls it once.
    name, parameters = function.child_by_field_name("name"), function.child_by_field_name("parameters")
    return (
        name is not None
        and parameters is not None
        and text(name) == "ConfigureServices"
        and "IServiceCollection" in text(parameters)
    )


def _means(call: CallSite, function: Function, functions: Functions) -> bool:
    """
    Tell by what stands before the dot whether a method of this file may be meant.
    """
    node = call.node
    if node.type == "identifier" and node.parent is not None:
        # A property, by its name alone or after a dot; and a method that is handed on is not called.
        if function.node.type not in ("arrow_expression_clause", "accessor_declaration"):
            return False
        if node.parent.type not in ("member_access_expression", "conditional_access_expression"):
            return True
        holder = node.parent.child_by_field_name("expression")
        return holder is None or holder == node or _has(holder, function, functions)
    if node.type == "implicit_object_creation_expression":
        return False
    callee = node.child_by_field_name("function")
    if callee is None or callee.type != "member_access_expression":
        return True
    holder = callee.child_by_field_name("expression")
    return holder is None or _has(holder, function, functions)


def _has(holder: Node, function: Function, functions: Functions) -> bool:
    if text(holder) in ("this", "base"):
        return True
    owner = functions.class_of(function)
    if holder.type == "member_access_expression":
        # As in Database.Instance.Open().
        holder = holder.child_by_field_name("expression") or holder
    created = options.called(holder).removeprefix("new ") if holder.type in options.CREATIONS else None
    given = definition(holder, options.DECLARATIONS, options.FUNCTIONS) if holder.type == "identifier" else None
    if given is not None and given.type in options.CREATIONS:
        created = options.called(given).removeprefix("new ")
    kind = created or options.type_of(holder) or text(holder)
    return owner in {kind, *functions.classes.get(kind, ())}


def _bases(node: Node) -> tuple[str, ...]:
    above = next((child for child in node.named_children if child.type == "base_list"), None)
    return tuple(text(kind) for kind in find(above, frozenset({"identifier"}))) if above is not None else ()


def _outliving(function: Node) -> set[str]:
    local = {
        text(name)
        for declarator in find(function, options.DECLARATIONS)
        if (name := declarator.child_by_field_name("name")) is not None
    }
    if function.type in ("field_declaration", "property_declaration"):
        return local
    parameters = function.child_by_field_name("parameters")
    if parameters is not None:
        local |= names(parameters, frozenset({"identifier"}))
    found: set[str] = set()
    for assignment in find(function, options.ASSIGNMENTS):
        left = target(assignment)
        if left is None or (assignment.parent is not None and assignment.parent.type == "initializer_expression"):
            continue
        if text(left).startswith("this."):
            found |= names(left, frozenset({"identifier"}))
        else:
            found |= names(left, frozenset({"identifier"})) - local
    return found


def _arguments(call: Node) -> Arguments:
    given = tuple(options.with_names(call))
    return Arguments(
        tuple(node for name, node in given if name is None),
        tuple((name, node) for name, node in given if name is not None),
    )


def _construction(call: Node, constructor: Constructor, source: Source) -> Construction | None:
    if call.type == "implicit_object_creation_expression":
        kind = options.declared_type(call)
        if kind is None or last_name(text(kind).strip("?")) not in ("MongoClient", "IMongoClient"):
            return None
    if b"MongoDB.Driver" not in source.data:
        return None
    return options.construction(options.arguments(call), source)


def _literal(node: Node) -> tuple[Part, ...] | None:
    match node.type:
        case "string_literal":
            return ("".join(text(child) for child in node.named_children),)
        case "verbatim_string_literal":
            return (text(node)[2:-1].replace('""', '"'),)
        case "raw_string_literal":
            return ("".join(text(child) for child in node.named_children if child.type == "raw_string_content"),)
        case "interpolated_string_expression":
            return tuple(_interpolated(node))
        case "integer_literal" | "real_literal":
            return (text(node).replace("_", "").rstrip("uUlLfFdDmM"),)
        case "boolean_literal":
            return (text(node),)
        case "null_literal":
            return ("null",)
        case "invocation_expression" if re.fullmatch(r"[sS]tring\.Format", options.called(node)):
            return _formatted(options.arguments(node))
    return None


def _interpolated(node: Node) -> Iterator[Part]:
    for child in node.named_children:
        if child.type == "interpolation":
            yield next((part for part in child.named_children if part.type != "interpolation_brace"), "{}")
        elif child.type not in ("interpolation_start", "interpolation_quote"):
            yield text(child)


def _formatted(given: tuple[Node, ...]) -> tuple[Part, ...] | None:
    if not given or given[0].type != "string_literal":
        return None
    parts: list[Part] = []
    for number, part in enumerate(
        re.split(r"\{(\d+)[^}]*\}", "".join(text(child) for child in given[0].named_children))
    ):
        if number % 2 == 0:
            parts.append(part)
        else:
            parts.append(given[int(part) + 1] if int(part) + 1 < len(given) else "{}")
    return tuple(parts)


def _environment(node: Node) -> tuple[str, Node | None] | None:
    if node.type == "binary_expression":
        operator, left = node.child_by_field_name("operator"), node.child_by_field_name("left")
        if operator is not None and left is not None and text(operator) == "??":
            read, right = _environment(left), node.child_by_field_name("right")
            # An exception is no default.
            return (read[0], right if right is not None and "throw" not in right.type else None) if read else None
    if node.type != "invocation_expression" or not (given := options.arguments(node)):
        return None
    read_by = re.fullmatch(r"(System\.)?Environment\.GetEnvironmentVariable", options.called(node))
    return (
        (written(given[0], options.ASSIGNMENTS | options.DECLARATIONS, options.FUNCTIONS), None)
        if read_by is not None
        else None
    )


LANGUAGE = Language(
    name="csharp",
    title="C#",
    extensions=(".cs",),
    comment="//",
    grammar=("tree_sitter_c_sharp", "language"),
    mentions=(b"MongoDB.Driver", b"mongodb://", b"mongodb+srv://"),
    query=_QUERY,
    constructors=(
        Constructor(driver="MongoDB.Driver", call=r"new ([\w.]+\.)?MongoClient"),
        Constructor(driver="MongoDB.Driver", call="new", shown="new MongoClient"),
    ),
    functions=options.FUNCTIONS,
    assignments=options.ASSIGNMENTS,
    memoizing=options.ASSIGNMENTS,
    declarations=options.DECLARATIONS,
    conditions=frozenset({"if_statement", "conditional_expression"}),
    once_calls=frozenset({"Lazy", "GetOrAdd", "AddSingleton", "TryAddSingleton", "AddKeyedSingleton", "GetOrCreate"}),
    runs={"AddScoped": Lifetime.PER_INVOCATION, "AddTransient": Lifetime.UNKNOWN},
    init_names=frozenset({"Main"}),
    properties=True,
    classes=frozenset({"class_declaration", "record_declaration", "struct_declaration"}),
    closers=frozenset({"Dispose"}),
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

"""Compiles a snippet under the policy: some code is refused, some calls guards when it runs.

RestrictedPython rewrites nearly every operation into a guard call. Here only the operations that
can leave the sandbox are touched: underscore names, a few attribute names, attribute stores and
imports. Everything else is harmless because the *objects* that a snippet can reach are
(`allowlist`, `modules`). Guards are reached through names such as `load!`, which no source text
can spell, so they cannot be shadowed.

Not covered: time, memory, and faults of native code (numpy); those are the operating-system
layer's.
"""

from __future__ import annotations
import __future__

import ast
import sys
from collections.abc import Callable
from types import CodeType
from typing import Any, Literal

from react_envs.executor.formatting import reads_attributes
from react_envs.executor.names import (
    FORBIDDEN_ATTRIBUTES,
    GUARDED,
    READABLE_UNDERSCORE,
    WRITABLE_DUNDERS,
    bindable,
    is_dunder,
    readable,
)

__all__ = ["CLASS_MARK", "LAST_VALUE", "NotAllowed", "compile_snippet"]

CLASS_MARK = "_abc_snippet!"
"""Class attribute that tells a class written in a snippet from a library's. `typing.Protocol`
ignores names that begin with `_abc_`, and `enum` ignores descriptors, which its value is."""

LAST_VALUE = "last value!"
"""Variable that receives a trailing expression's value."""


class NotAllowed(Exception):
    """The snippet reached for something that the policy refuses; the message is for the model."""


def compile_snippet(
    source: str,
    filename: str,
    *,
    mode: Literal["exec", "eval"] = "exec",
    keep_last_value: bool = False,
) -> CodeType:
    """Compile `source` so that it can only run against the guards.

    Args:
        source: Python text of any content.
        filename: name shown in tracebacks.
        mode: as of the built-in `compile`.
        keep_last_value: store the value of a trailing expression statement in `LAST_VALUE`.

    Raises:
        NotAllowed: the source uses something that is never allowed.
        SyntaxError, ValueError, RecursionError, MemoryError, OverflowError: as the built-in
            `compile`; lone surrogates raise `UnicodeEncodeError`, a ValueError.
    """
    tree: Any = compile(source, filename, mode, ast.PyCF_ONLY_AST, dont_inherit=True)
    flags = _rewrite(tree)
    if keep_last_value and tree.body and isinstance(tree.body[-1], ast.Expr):
        last = tree.body[-1]
        target = ast.Name(LAST_VALUE, ast.Store(), **_place(last))
        tree.body[-1] = ast.Assign([target], last.value, **_place(last))
    code: CodeType = compile(tree, filename, mode, flags, dont_inherit=True)
    return code


def _refuse(node: ast.AST, message: str) -> NotAllowed:
    line = getattr(node, "lineno", None)
    return NotAllowed(f"line {line}: {message}" if line else message)


def _place(node: Any) -> dict[str, Any]:
    return {
        "lineno": node.lineno,
        "col_offset": node.col_offset,
        "end_lineno": node.end_lineno,
        "end_col_offset": node.end_col_offset,
    }


def _guard(name: str, node: Any, *args: ast.expr) -> ast.Call:
    place = _place(node)
    return ast.Call(ast.Name(name, ast.Load(), **place), list(args), [], **place)


def _constant(value: Any, node: Any) -> ast.Constant:
    return ast.Constant(value, **_place(node))


def _become(node: ast.AST, replacement: ast.AST) -> None:
    """Turn `node` into `replacement` where it stands, so that no parent has to be found."""
    node.__class__ = replacement.__class__
    node.__dict__.clear()
    node.__dict__.update(replacement.__dict__)


# --- one visitor per node type that needs one; each may rewrite its node in place ---


def _name(node: Any) -> None:
    name = node.id
    if name[:2] == "__":
        allowed = readable(name) if node.ctx.__class__ is ast.Load else bindable(name)
        if not allowed:
            hint = "; use an import statement" if name == "__import__" else ""
            raise _refuse(node, f"the name '{name}' is not allowed{hint}")


def _attribute(node: Any) -> None:
    name = node.attr
    load = node.ctx.__class__ is ast.Load
    if name[0] != "_":
        if name in FORBIDDEN_ATTRIBUTES:
            raise _refuse(node, f"the attribute '{name}' is not allowed")
        if not load:
            node.value = _guard("writable!", node, node.value, _constant(name, node))
        elif name in GUARDED and not _plain_format(node):
            _become(node, _guard("load!", node, node.value, _constant(name, node)))
    elif load:
        if name in READABLE_UNDERSCORE:
            return
        if name in GUARDED:
            _become(node, _guard("load!", node, node.value, _constant(name, node)))
        elif is_dunder(name):
            raise _refuse(node, f"the attribute '{name}' is not allowed")
        else:
            node.value = _guard("private!", node, node.value, _constant(name, node))
    elif is_dunder(name):
        if name not in WRITABLE_DUNDERS:
            raise _refuse(node, f"assigning the attribute '{name}' is not allowed")
        node.value = _guard("writable!", node, node.value, _constant(name, node))
    else:
        node.value = _guard("private!", node, node.value, _constant(name, node))


def _plain_format(node: Any) -> bool:
    """Whether this is `"literal".format` whose fields cannot reach attributes."""
    value = node.value
    return (
        node.attr == "format"
        and value.__class__ is ast.Constant
        and value.value.__class__ is str
        and not reads_attributes(value.value)
    )


def _function(node: Any) -> None:
    name = node.name
    if name[:2] == "__" and not bindable(name):
        if name != "__getattr__":
            raise _refuse(node, f"defining '{name}' is not allowed")
        node.decorator_list.append(ast.Name("getattr_hook!", ast.Load(), **_place(node)))


def _class(node: Any) -> None:
    if not bindable(node.name):
        raise _refuse(node, f"the name '{node.name}' is not allowed")
    place = _place(node)
    target = ast.Name(CLASS_MARK, ast.Store(), **place)
    node.body.append(ast.Assign([target], ast.Name("class_mark!", ast.Load(), **place), **place))


class _CheckedName(ast.Name):
    """A name that has passed a stricter check than `_name`'s."""


def _assign(node: Any) -> None:
    target = node.targets[0]
    if target.__class__ is ast.Name and target.id == "__match_args__":
        value = node.value
        literal = value.__class__ is ast.Tuple and all(
            item.__class__ is ast.Constant and _pattern_attribute_allowed(item.value)
            for item in value.elts
        )
        if not literal or len(node.targets) > 1:
            raise _refuse(node, "'__match_args__' must be a literal tuple of public names")
        target.__class__ = _CheckedName


def _pattern_attribute_allowed(name: Any) -> bool:
    return (
        name.__class__ is str
        and name[:1] != "_"
        and name not in FORBIDDEN_ATTRIBUTES
        and name not in GUARDED
    )


def _match_class(node: Any) -> None:
    for name in node.kwd_attrs:
        if not _pattern_attribute_allowed(name):
            raise _refuse(node, f"the attribute '{name}' is not allowed in a pattern")


def _names(node: Any) -> None:
    """Check every plain string by which `node` binds variables."""
    for field in ("name", "arg", "rest", "names"):
        value = getattr(node, field, None)
        for name in value if value.__class__ is list else (value,):
            if name is not None and not bindable(name):
                raise _refuse(node, f"the name '{name}' is not allowed")


def _import(node: Any) -> None:
    targets: list[ast.expr] = []
    values: list[ast.expr] = []
    for alias in node.names:
        name = alias.asname or alias.name.partition(".")[0]
        if not bindable(name):
            raise _refuse(node, f"the name '{name}' is not allowed")
        whole = _constant(bool(alias.asname), node)
        targets.append(ast.Name(name, ast.Store(), **_place(node)))
        values.append(_guard("import!", node, _constant(alias.name, node), whole))
    _become(node, _assignment(node, targets, values))


def _import_from(node: Any) -> None:
    if node.module == "__future__" and not node.level:
        _become(node, ast.Pass(**_place(node)))
        return
    module = _constant("." * node.level + (node.module or ""), node)
    if node.names[0].name == "*":
        call = _guard("import_star!", node, module)
        _become(node, ast.Expr(call, **_place(node)))
        return
    targets: list[ast.expr] = []
    values: list[ast.expr] = []
    for alias in node.names:
        name = alias.asname or alias.name
        if not bindable(name):
            raise _refuse(node, f"the name '{name}' is not allowed")
        targets.append(ast.Name(name, ast.Store(), **_place(node)))
        values.append(_guard("import_from!", node, module, _constant(alias.name, node)))
    _become(node, _assignment(node, targets, values))


def _assignment(node: Any, targets: list[ast.expr], values: list[ast.expr]) -> ast.Assign:
    place = _place(node)
    if len(targets) == 1:
        return ast.Assign(targets, values[0], **place)
    target = ast.Tuple(targets, ast.Store(), **place)
    return ast.Assign([target], ast.Tuple(values, ast.Load(), **place), **place)


def _type_alias(node: Any) -> None:
    _name(node.name)


def _try_star(node: Any) -> None:
    raise _refuse(node, "'except*' is not supported here; use 'except ExceptionGroup'")


_VISITORS: dict[type, Callable[[Any], None]] = {
    ast.Attribute: _attribute,
    ast.FunctionDef: _function,
    ast.AsyncFunctionDef: _function,
    ast.ClassDef: _class,
    ast.Assign: _assign,
    ast.Import: _import,
    ast.ImportFrom: _import_from,
    ast.TryStar: _try_star,
    ast.MatchClass: _match_class,
    **dict.fromkeys(
        (
            ast.arg,
            ast.ExceptHandler,
            ast.Global,
            ast.Nonlocal,
            ast.MatchAs,
            ast.MatchStar,
            ast.MatchMapping,
        ),
        _names,
    ),
}
if sys.version_info >= (3, 12):
    _VISITORS |= {ast.TypeAlias: _type_alias}
    _VISITORS |= dict.fromkeys((ast.TypeVar, ast.ParamSpec, ast.TypeVarTuple), _names)

_NOT_NODES = frozenset(
    [
        "op",
        "ops",
        "ctx",
        "id",
        "attr",
        "arg",
        "name",
        "names",
        "rest",
        "value_kind",
        "kind",
        "type_comment",
        "type_ignores",
        "simple",
        "conversion",
        "is_async",
        "kwd_attrs",
        "module",
        "level",
        "lineno",
        "tag",
    ]
)

_KNOWN = [
    "Module",
    "Expression",
    "Expr",
    "Pass",
    "Break",
    "Continue",
    "Return",
    "Delete",
    "Assign",
    "AugAssign",
    "AnnAssign",
    "For",
    "AsyncFor",
    "While",
    "If",
    "With",
    "AsyncWith",
    "Raise",
    "Try",
    "TryStar",
    "Assert",
    "Import",
    "ImportFrom",
    "Global",
    "Nonlocal",
    "FunctionDef",
    "AsyncFunctionDef",
    "ClassDef",
    "Lambda",
    "BoolOp",
    "NamedExpr",
    "BinOp",
    "UnaryOp",
    "IfExp",
    "Dict",
    "Set",
    "ListComp",
    "SetComp",
    "DictComp",
    "GeneratorExp",
    "Await",
    "Yield",
    "YieldFrom",
    "Compare",
    "Call",
    "FormattedValue",
    "JoinedStr",
    "Attribute",
    "Subscript",
    "Starred",
    "Name",
    "List",
    "Tuple",
    "Slice",
    "ExceptHandler",
    "arguments",
    "arg",
    "keyword",
    "withitem",
    "comprehension",
    "Match",
    "match_case",
    "MatchValue",
    "MatchSingleton",
    "MatchSequence",
    "MatchMapping",
    "MatchClass",
    "MatchStar",
    "MatchAs",
    "MatchOr",
    "TypeAlias",
    "TypeVar",
    "ParamSpec",
    "TypeVarTuple",
]
"""Node types that this policy was written for; others, of later Pythons, are refused."""


def _plan(kind: type[ast.AST]) -> tuple[Callable[[Any], None] | None, tuple[str, ...]]:
    fields = tuple(field for field in kind._fields if field not in _NOT_NODES)
    return _VISITORS.get(kind), fields


_PLANS = {kind: _plan(kind) for name in _KNOWN if (kind := getattr(ast, name, None)) is not None}
_PLANS[_CheckedName] = (None, ())
_PLANS[ast.Constant] = _PLANS[ast.MatchSingleton] = (None, ())


def _rewrite(tree: Any) -> int:
    """Guard `tree` in place; returns the compiler flags its `__future__` imports ask for."""
    flags = 0
    for statement in tree.body if tree.__class__ is ast.Module else ():
        if statement.__class__ is ast.ImportFrom and statement.module == "__future__":
            for alias in statement.names:
                if alias.name == "annotations":
                    flags |= __future__.annotations.compiler_flag
    plans, name, constant = _PLANS, ast.Name, ast.Constant
    pending = [tree]
    pop = pending.pop
    push = pending.append
    while pending:
        node = pop()
        plan = plans.get(node.__class__)
        if plan is None:
            raise _refuse(node, f"{node.__class__.__name__} is not supported here")
        visit, fields = plan
        if visit is not None:
            visit(node)
            fields = plans[node.__class__][1]
        for field in fields:
            child = getattr(node, field)
            for item in child if child.__class__ is list else (child,):
                # Names and constants are most of a tree and have no children: no turn of their own.
                kind = item.__class__
                if kind is name:
                    if item.id[:2] == "__":
                        _name(item)
                elif kind is not constant and item is not None:
                    push(item)
    return flags

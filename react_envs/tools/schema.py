"""JSON schema of a function's parameters, and the check of a call against it."""

from __future__ import annotations

import inspect
import json
import math
import re
import types
import typing
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Literal, Union

from react_envs.errors import ArgumentError, ToolError
from react_envs.tools.model_json import read_json

__all__ = ["bind_arguments", "parameters_of"]

_JSON_TYPES: dict[Any, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    list: "array",
    dict: "object",
}


def parameters_of(function: Callable[..., Any]) -> dict[str, Any]:
    """JSON schema (an object with properties) of what `function` takes.

    Types come from the annotations (str, int, float, bool, list, dict, Literal, None and
    unions of them), descriptions from the `Args:` section of the docstring, required
    parameters are those without a default.

    Raises:
        ArgumentError: for a parameter without annotation, of another type, or `*args`.

    >>> def search(query: str, top_k: int = 3) -> str:
    ...     '''Search.
    ...
    ...     Args:
    ...         query: words to look for
    ...     '''
    >>> schema = parameters_of(search)
    >>> schema["required"], schema["properties"]["query"]
    (['query'], {'type': 'string', 'description': 'words to look for'})
    >>> schema["properties"]["top_k"]
    {'type': 'integer', 'default': 3}
    """
    hints = typing.get_type_hints(function)
    descriptions = _described_arguments(inspect.getdoc(function) or "")
    properties: dict[str, Any] = {}
    required: list[str] = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name == "self":
            continue
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise ArgumentError(f"a tool takes named parameters only, got {parameter}")
        if parameter.name not in hints:
            raise ArgumentError(f"parameter {parameter.name!r} of a tool needs a type annotation")
        schema = _schema_of(hints[parameter.name], parameter.name)
        if parameter.name in descriptions:
            schema["description"] = descriptions[parameter.name]
        if parameter.default is parameter.empty:
            required.append(parameter.name)
        else:
            schema["default"] = _json_default(parameter)
        properties[parameter.name] = schema
    return {"type": "object", "properties": properties, "required": required}


def _schema_of(hint: Any, name: str) -> dict[str, Any]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return {}
    if origin is Literal and len({type(a) for a in arguments}) == 1:
        return {**_schema_of(type(arguments[0]), name), "enum": list(arguments)}
    if origin in (Union, types.UnionType):
        options = [_schema_of(a, name) for a in arguments if a is not type(None)]
        if type(None) in arguments:
            options.append({"type": "null"})
        return options[0] if len(options) == 1 else {"anyOf": options}
    if origin is list and arguments:
        return {"type": "array", "items": _schema_of(arguments[0], name)}
    kind = _JSON_TYPES.get(origin or hint)
    if kind is None:
        raise ArgumentError(
            f"parameter {name!r} of a tool has type {hint!r}; "
            "expected str, int, float, bool, list, dict, Literal, None or a union of them"
        )
    return {"type": kind}


def _json_default(parameter: inspect.Parameter) -> Any:
    try:
        json.dumps(parameter.default)
    except (TypeError, ValueError) as error:
        raise ArgumentError(
            f"the default of parameter {parameter.name!r} of a tool must be a JSON value, "
            f"got {parameter.default!r}"
        ) from error
    return parameter.default


def _described_arguments(docstring: str) -> dict[str, str]:
    """`{"query": "words to look for"}` from the `Args:` section of a Google docstring."""
    section = re.search(r"^Args:\n((?:[ \t]+.*\n?|\n)+)", docstring, re.MULTILINE)
    if section is None:
        return {}
    lines = inspect.cleandoc(section.group(1)).splitlines()
    described: dict[str, str] = {}
    name = ""
    for line in lines:
        entry = re.match(r"(\w+)(?:\s*\([^)]*\))?:\s*(.*)", line)
        if entry:
            name = entry.group(1)
            described[name] = entry.group(2)
        elif name and line.strip():
            described[name] += " " + line.strip()
    return described


def bind_arguments(parameters: Mapping[str, Any], arguments: Any) -> dict[str, Any]:
    """Keyword arguments for a tool with schema `parameters`, from what the model wrote.

    A text dialect gives one string: it is read as a JSON object if its keys fit, else it is
    the value of the tool's first parameter, provided that no other one is required. Numbers
    written as strings are accepted where nothing is lost.

    Raises:
        ToolError: what is wrong and what was expected, for the model to read.

    >>> schema = {"properties": {"code": {"type": "string"}}, "required": ["code"]}
    >>> bind_arguments(schema, "print(1)")
    {'code': 'print(1)'}
    >>> bind_arguments(schema, {"cod": "print(1)"})
    Traceback (most recent call last):
    react_envs.errors.ToolError: unexpected argument 'cod'; expected: code (string, required)
    """
    properties, required = parameters["properties"], parameters["required"]
    if isinstance(arguments, str):
        arguments = _from_text(properties, required, arguments)
    if not isinstance(arguments, dict):
        raise ToolError(f"arguments must be a JSON object; expected: {_signature(parameters)}")
    for name in arguments:
        if name not in properties:
            told = f"unexpected argument {_shown(name)}; expected: {_signature(parameters)}"
            raise ToolError(told)
    for name in required:
        if name not in arguments:
            raise ToolError(f"missing argument {name!r}; expected: {_signature(parameters)}")
    return {name: _value(name, properties[name], value) for name, value in arguments.items()}


def _from_text(properties: dict[str, Any], required: list[str], text: str) -> dict[str, Any]:
    if text.lstrip().startswith("{"):
        try:
            value = read_json(text)
        except ValueError:
            value = None
        if isinstance(value, dict) and set(required) <= set(value) <= set(properties):
            return value
    if not properties:
        return {}
    if len(required) > 1:
        raise ToolError(
            "this tool needs several arguments; write them as a JSON object with the keys "
            + ", ".join(properties)
        )
    name = required[0] if required else next(iter(properties))
    return {name: text}


def _value(name: str, schema: Mapping[str, Any], value: Any) -> Any:
    if "anyOf" in schema:
        taken = []
        for option in schema["anyOf"]:
            with suppress(ToolError):
                taken.append(_value(name, option, value))
        if not taken:
            raise ToolError(f"argument {name!r} has no accepted type, got {_shown(value)}")
        # what fits as it is comes before what fits converted: "007" of an int | str is a text
        return next((v for v in taken if type(v) is type(value) and v == value), taken[0])
    kind = schema.get("type")
    if kind in ("integer", "number") and isinstance(value, str):
        value = _number(value)
    if kind == "integer" and isinstance(value, float) and value.is_integer():
        value = int(value)
    if kind in ("boolean", "array", "object", "null") and isinstance(value, str):
        with suppress(ValueError):
            value = read_json(value)
    if kind == "string" and isinstance(value, int | float) and not isinstance(value, bool):
        value = json.dumps(value)
    accepted: dict[str, tuple[type, ...]] = {
        "string": (str,),
        "integer": (int,),
        "number": (int, float),
        "boolean": (bool,),
        "array": (list,),
        "object": (dict,),
        "null": (type(None),),
    }
    if kind is not None:
        is_bool = isinstance(value, bool)
        if not isinstance(value, accepted[kind]) or (is_bool and kind != "boolean"):
            raise ToolError(f"argument {name!r} must be of type {kind}, got {_shown(value)}")
    if "enum" in schema and value not in schema["enum"]:
        raise ToolError(f"argument {name!r} must be one of {schema['enum']}, got {_shown(value)}")
    if kind == "array" and "items" in schema:
        return [_value(f"{name}[{i}]", schema["items"], item) for i, item in enumerate(value)]
    return value


def _number(text: str) -> Any:
    with suppress(ValueError):
        return int(text)
    with suppress(ValueError):
        number = float(text)
        return number if math.isfinite(number) else text
    return text


def _signature(parameters: Mapping[str, Any]) -> str:
    """`code (string, required), seconds (integer)`, to tell the model what it may write."""
    described = []
    for name, schema in parameters["properties"].items():
        kind = schema.get("type", "any")
        described.append(f"{name} ({kind}{', required' if name in parameters['required'] else ''})")
    return ", ".join(described) or "no arguments"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."

"""The built-in functions of a snippet: CPython's own where they are harmless, else guarded."""

from __future__ import annotations

import builtins
import importlib
import sys
from collections.abc import Callable
from types import CodeType, FrameType, FunctionType
from typing import Any, NoReturn

from react_envs.executor import guards, ownership, stand_ins
from react_envs.executor.episode import Modules, SnippetStream, Streams
from react_envs.executor.guards import LiveDict
from react_envs.executor.names import bindable, is_variable
from react_envs.executor.ownership import exact_str
from react_envs.executor.policy import CLASS_MARK, NotAllowed, compile_snippet

__all__ = ["make_builtins"]

_PLAIN = [
    "__build_class__",
    "__debug__",
    "Ellipsis",
    "False",
    "None",
    "NotImplemented",
    "True",
    "abs",
    "aiter",
    "all",
    "anext",
    "any",
    "ascii",
    "bin",
    "bool",
    "bytearray",
    "bytes",
    "callable",
    "chr",
    "classmethod",
    "complex",
    "dict",
    "divmod",
    "enumerate",
    "filter",
    "float",
    "format",
    "frozenset",
    "hash",
    "hex",
    "id",
    "int",
    "isinstance",
    "issubclass",
    "iter",
    "len",
    "list",
    "map",
    "max",
    "min",
    "next",
    "object",
    "oct",
    "ord",
    "pow",
    "property",
    "range",
    "repr",
    "reversed",
    "round",
    "set",
    "slice",
    "sorted",
    "staticmethod",
    "str",
    "sum",
    "super",
    "tuple",
    "zip",
]


class FileNotAllowed(NotAllowed, PermissionError):
    """The snippet tried to open a file."""


def _open(*args: Any, **kwargs: Any) -> NoReturn:
    raise FileNotAllowed("open() is not allowed: there are no files here")


def _breakpoint(*args: Any, **kwargs: Any) -> NoReturn:
    raise NotAllowed("breakpoint() is not allowed: there is no debugger here")


def _import(name: str, *args: Any, **kwargs: Any) -> None:
    # Snippets cannot name this function: their imports are compiled into `import!`. It is native
    # code called by them that imports through the running frame's `__import__` (`array.sum` and
    # `datetime.strptime` do). `PyImport_Import` calls it for its effect alone and then looks into
    # `sys.modules`, so nothing has to be handed out here.
    if name not in sys.modules:
        if name not in _IMPORTED_BY_C:
            raise ownership.ImportNotAllowed(f"import of '{name}' is not allowed")
        importlib.import_module(name)


_IMPORTED_BY_C = frozenset(
    [
        "_strptime",
        "time",
        "datetime",
        "decimal",
        "_decimal",
        "fractions",
        "numbers",
        "collections.abc",
        "abc",
        "warnings",
        "re",
        "unicodedata",
        "copyreg",
        "locale",
        "_io",
        "io",
        "codecs",
        "encodings",
        "math",
        "_pydatetime",
    ]
)


def _exit(code: Any = None) -> NoReturn:
    raise SystemExit(code)


_COMMON: dict[str, Any] = {
    **{name: getattr(builtins, name) for name in _PLAIN},
    **{
        name: value
        for name, value in vars(builtins).items()
        if isinstance(value, type) and issubclass(value, BaseException)
    },
    "__import__": _import,
    "breakpoint": _breakpoint,
    "delattr": guards.delattr_,
    "exit": _exit,
    "getattr": guards.getattr_,
    "hasattr": guards.hasattr_,
    "open": _open,
    "quit": _exit,
    "setattr": guards.setattr_,
    "type": stand_ins.TYPE,
    "class_mark!": ownership.WRITTEN,
    "memoryview": stand_ins.STAND_INS[memoryview],
    "getattr_hook!": stand_ins.getattr_hook,
    "load!": guards.load,
    "private!": ownership.private,
    "writable!": ownership.writable,
}


class CompiledSnippet:
    """What `compile` gives a snippet: something for `eval` and `exec`, and nothing else."""

    __slots__ = ("_code",)
    _code: CodeType

    def __new__(cls, code: CodeType) -> CompiledSnippet:
        compiled = super().__new__(cls)
        compiled._code = code
        return compiled

    def __repr__(self) -> str:
        return "<code object>"


def make_builtins(
    namespace: dict[str, Any],
    streams: Streams,
    modules: Modules,
    remember: Callable[[str], str],
) -> dict[str, Any]:
    """The `__builtins__` of one episode.

    Args:
        namespace: the episode's global variables.
        streams: where print writes.
        modules: what import statements find.
        remember: keeps source text for tracebacks and gives it a file name.
    """

    def print_(
        *values: Any,
        sep: str | None = " ",
        end: str | None = "\n",
        file: Any = None,
        flush: Any = 0,
    ) -> None:
        if file is not None and type(file) is not SnippetStream:
            builtins.print(*values, sep=sep, end=end, file=file)
            return
        sep = " " if sep is None else sep
        end = "\n" if end is None else end
        if not isinstance(sep, str) or not isinstance(end, str):
            wrong, name = (end, "end") if isinstance(sep, str) else (sep, "sep")
            raise TypeError(f"{name} must be None or a string, not {type(wrong).__name__}")
        text = sep.join([str(value) for value in values]) + end
        (streams.out if file is None else file).write(text)

    def input_(prompt: Any = "") -> NoReturn:
        if prompt != "":
            streams.out.write(str(prompt))
        raise EOFError("there is no input here")

    def help_(*things: Any) -> None:
        for thing in things:
            streams.out.write(f"{getattr(thing, '__doc__', None) or 'no documentation'}\n")

    def is_namespace(names: dict[str, Any]) -> bool:
        return names.get("__builtins__") is made

    def view(names: dict[str, Any]) -> LiveDict:
        shown = {name: value for name, value in names.items() if is_variable(name)}
        return LiveDict(shown, names, _check_variable)

    def caller_globals(frame: FrameType) -> dict[str, Any]:
        return frame.f_globals if is_namespace(frame.f_globals) else namespace

    def globals_() -> LiveDict:
        return view(caller_globals(sys._getframe(1)))

    def locals_of(frame: FrameType) -> dict[str, Any]:
        if not is_namespace(frame.f_globals) or frame.f_locals is frame.f_globals:
            return view(caller_globals(frame))
        return {name: value for name, value in frame.f_locals.items() if is_variable(name)}

    def locals_() -> dict[str, Any]:
        return locals_of(sys._getframe(1))

    def vars_(*things: Any) -> Any:
        return guards.load(things[0], "__dict__") if things else locals_of(sys._getframe(1))

    def dir_(*things: Any) -> list[str]:
        names = dir(things[0]) if things else sorted(locals_of(sys._getframe(1)))
        return [name for name in names if name != CLASS_MARK]

    def code_of(source: Any, mode: str) -> CodeType:
        if type(source) is CompiledSnippet:
            return source._code
        if isinstance(source, (bytes, bytearray)):
            source = bytes(source).decode()
        if not isinstance(source, str):
            raise TypeError(f"{mode}() arg 1 must be a string, bytes or code object")
        source = str.__str__(source)
        if mode == "eval":
            source = source.lstrip(" \t")
        try:
            return _compile(source, remember(source), mode)
        except SyntaxError as error:
            error.filename = "<string>"  # as the snippet would see it elsewhere
            raise

    def run_code(code: CodeType, frame: FrameType, given: tuple[Any, ...]) -> Any:
        if not given or given[0] is None:
            names = caller_globals(frame)
            if is_namespace(frame.f_globals) and frame.f_locals is not frame.f_globals:
                local = {k: v for k, v in frame.f_locals.items() if is_variable(k)}
                return eval(code, names, local)
            return eval(code, names)
        names = _plain_names(given[0])
        target = given[0]._target if type(given[0]) is LiveDict else None
        if target is not None and is_namespace(target):
            scope = target
        else:
            scope = {"__name__": "__main__", **names, "__builtins__": made}
        if len(given) == 1 or given[1] is None:
            try:
                return eval(code, scope)
            finally:
                _write_back(given[0], scope)
        local = _plain_names(given[1])
        try:
            return eval(code, scope, local)
        finally:
            _write_back(given[0], scope)
            _write_back(given[1], local)

    def eval_(source: Any, /, *given: Any) -> Any:
        return run_code(code_of(source, "eval"), sys._getframe(1), given)

    def exec_(source: Any, /, *given: Any, closure: None = None) -> None:
        run_code(code_of(source, "exec"), sys._getframe(1), given)

    def compile_(
        source: Any, filename: Any, mode: str, flags: int = 0, *args: Any, **kwargs: Any
    ) -> CompiledSnippet:
        if mode not in ("eval", "exec", "single"):
            raise ValueError("compile() mode must be 'exec', 'eval' or 'single'")
        if flags or not isinstance(source, (str, bytes, bytearray)):
            raise NotAllowed("compile() takes only source text here")
        return CompiledSnippet(code_of(source, "eval" if mode == "eval" else "exec"))

    def import_star(name: str) -> None:
        module = modules.find(name)
        caller_globals(sys._getframe(1)).update(
            {k: v for k, v in vars(module).items() if k[0] != "_"}
        )

    made = {
        **_COMMON,
        "compile": compile_,
        "dir": dir_,
        "eval": eval_,
        "exec": exec_,
        "globals": globals_,
        "help": help_,
        "input": input_,
        "locals": locals_,
        "print": print_,
        "vars": vars_,
        "import!": modules.import_,
        "import_from!": modules.import_from,
        "import_star!": import_star,
    }
    _go_by_their_names(made)
    return made


def _go_by_their_names(functions: dict[str, Any]) -> None:
    """Let guarded functions call themselves in errors what the snippet calls them."""
    for name, function in functions.items():
        if type(function) is FunctionType and function.__name__ == f"{name}_":
            function.__name__ = function.__qualname__ = name


def _compile(source: str, filename: str, mode: str) -> CodeType:
    return compile_snippet(source, filename, mode="eval" if mode == "eval" else "exec")


def _check_variable(name: Any) -> None:
    exact_str(name, "variable name")
    if not name.isidentifier() or not bindable(name):
        raise NotAllowed(f"the variable name {name!r} is not allowed")


def _plain_names(names: Any) -> dict[str, Any]:
    if not isinstance(names, dict):
        raise TypeError("globals and locals must be dicts here")
    return {name: value for name, value in dict.items(names) if is_variable(name)}


def _write_back(given: Any, names: dict[str, Any]) -> None:
    if type(given) is LiveDict and given._target is names:
        return
    for name, value in names.items():
        if is_variable(name):
            given[name] = value

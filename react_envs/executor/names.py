"""Which identifiers a snippet may bind, read and write: the sets that compiler and guards share.

The policy is by *name*: an attribute that is harmless on every object is compiled as it stands,
one that depends on its object goes through a guard, every other underscore name is refused.
"""

from __future__ import annotations

from RestrictedPython.transformer import INSPECT_ATTRIBUTES

__all__ = [
    "DEFINABLE",
    "FORBIDDEN_ATTRIBUTES",
    "GUARDED",
    "READABLE_UNDERSCORE",
    "WRITABLE_DUNDERS",
    "bindable",
    "is_dunder",
    "is_variable",
    "readable",
]


def _dunders(words: str) -> frozenset[str]:
    return frozenset(f"__{word}__" for word in words.split())


DEFINABLE = _dunders(
    "init new del repr str bytes format lt le eq ne gt ge hash bool "
    "len length_hint getitem setitem delitem missing iter next reversed contains "
    "call enter exit await aiter anext aenter aexit "
    "add sub mul matmul truediv floordiv mod divmod pow lshift rshift and xor or "
    "radd rsub rmul rmatmul rtruediv rfloordiv rmod rdivmod rpow rlshift rrshift rand rxor ror "
    "iadd isub imul imatmul itruediv ifloordiv imod ipow ilshift irshift iand ixor ior "
    "neg pos abs invert complex int float index round trunc floor ceil "
    "post_init init_subclass class_getitem set_name get set delete setattr delattr dir sizeof "
    "instancecheck subclasscheck subclasshook mro_entries copy deepcopy slots doc "
    "array_priority"
)
"""Special methods that a snippet may define. Missing on purpose: what hands an object's attributes
or construction to library code (`__getattribute__`, `__reduce__`, `__prepare__`, `__dict__`,
`__class__`, `__array_interface__`, ...). `__getattr__` is definable by `def` only, where the
compiler wraps it; `__match_args__` only as a literal."""

_MODULE_METADATA = _dunders("all author version date license credits")

READABLE_UNDERSCORE = (
    DEFINABLE - _dunders("init copy deepcopy get set delete set_name setattr delattr dir slots")
    | _dunders(
        "name qualname module members annotations cause context suppress_context notes "
        "match_args wrapped version origin args parameters isabstractmethod abstractmethods "
        "dataclass_fields orig_bases metadata"
    )
    | frozenset(
        [
            "_replace",
            "_asdict",
            "_fields",
            "_make",
            "_field_defaults",
            "_value_",
            "_name_",
            "__optional_keys__",
            "__required_keys__",
            "__total__",
        ]
    )
)
"""Underscore attributes that tell or do nothing dangerous on any object."""

WRITABLE_DUNDERS = DEFINABLE - _dunders(
    "slots new init_subclass class_getitem set_name mro_entries del"
) | _dunders("name qualname doc cause suppress_context notes")
"""Special attributes that may be stored on the snippet's own functions, classes and exceptions."""

GUARDED = _dunders("init class dict mro bases base setattr delattr slots defaults") | frozenset(
    ["format", "format_map", "mro", "register", "dump", "dumps", "data", "resize"]
)
"""Attributes whose loads go through `guards.load`, which looks at the object."""

FORBIDDEN_ATTRIBUTES = INSPECT_ATTRIBUTES | frozenset(
    [
        "cell_contents",
        "tb_lasti",
        "f_lasti",
        "f_lineno",
        "co_consts",
        "co_names",
        "co_filename",
        "gi_running",
        "cr_running",
        "ag_running",
        "ctypes",
        "cffi",
        "tofile",
        "fromfile",
        "readinto",
        "readinto1",
        "pack_into",
    ]
)
"""Attributes refused on every object: frames, code objects, raw memory, files."""

_READABLE_NAMES = _dunders("name doc file class debug")


def is_dunder(name: str) -> bool:
    """Whether `name` looks like `__this__`."""
    return name[:2] == "__" and name[-2:] == "__"


def bindable(name: str) -> bool:
    """Whether a snippet may bind the variable, argument, function or class `name`."""
    return not is_dunder(name) or name in DEFINABLE or name in _MODULE_METADATA


def readable(name: str) -> bool:
    """Whether a snippet may read the variable `name`."""
    return bindable(name) or name in _READABLE_NAMES


def is_variable(name: object) -> bool:
    """Whether `name` can be a variable of a snippet, and not one of the guards' names.

    Guards have names that are no identifiers: a mapping that brought its own "private!" into a
    snippet's variables would shadow them.
    """
    return type(name) is str and name.isidentifier() and not is_dunder(name)

"""TextSpace: any Unicode text."""

from __future__ import annotations

from typing import Any

from gymnasium.spaces import Text

__all__ = ["TextSpace"]

_PLANES = ((0x20, 0x7F), (0xA0, 0x500), (0x2000, 0x2070), (0x4E00, 0x9FFF), (0x1F300, 0x1F600))


class TextSpace(Text):
    """All strings: any length, any code points, the empty one and lone surrogates included.

    Gymnasium's own `Text` holds alphanumeric strings up to a given length, which no
    language model keeps to. `sample` draws up to 64 characters from several scripts.

    >>> TextSpace().contains("Search[\\N{GREEK SMALL LETTER PI}]\\n")
    True
    >>> TextSpace() == TextSpace()
    True
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(max_length=2**31 - 1, min_length=0, seed=seed)

    def contains(self, x: Any) -> bool:
        """True for every `str`, subclasses such as `Completion` included."""
        return isinstance(x, str)

    def sample(self, mask: Any = None, probability: Any = None) -> str:
        """A random string of 0 to 64 characters.

        Raises:
            ValueError: if `mask` or `probability` is given; neither has a meaning here.
        """
        if mask is not None or probability is not None:
            raise ValueError("TextSpace.sample takes no mask and no probability")
        characters = []
        for _ in range(int(self.np_random.integers(0, 65))):
            low, high = _PLANES[int(self.np_random.integers(len(_PLANES)))]
            characters.append(chr(int(self.np_random.integers(low, high))))
        return "".join(characters)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TextSpace)

    def __repr__(self) -> str:
        return "TextSpace()"

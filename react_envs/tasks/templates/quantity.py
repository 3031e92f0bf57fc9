"""An exact number that remembers the arithmetic it came from and prints itself in English."""

from __future__ import annotations

from fractions import Fraction

from .words import a_or_an, plural

__all__ = ["Quantity", "known"]

_SUM, _PRODUCT, _ATOM = 0, 1, 2
_NUMERALS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_PARTS = {2: "half", 3: "third", 4: "quarter", 5: "fifth", 6: "sixth", 8: "eighth"}


class Quantity:
    """A number of a problem: `value` is exact, `expression` says how it was computed.

    Arithmetic builds the text that the solution shows, with no more parentheses than
    Python needs. Format specs write it into a sentence: a noun counts, `$` is money,
    `a` puts the article in front, `times` and `part` spell multiples and fractions.

    >>> n, price = Quantity(3), Quantity(Fraction(5, 2))
    >>> (2 * (n + 1) / price).expression
    '2*(3+1)/2.5'
    >>> f"{n:box of pens} at {price:$} each, {Quantity(8):a}-year-old, {n:times} as many"
    '3 boxes of pens at $2.50 each, an 8-year-old, three times as many'
    >>> f"{Quantity(Fraction(2, 3)):part} or {Quantity(Fraction(2, 3))}"
    'two thirds or 2/3'
    """

    __slots__ = ("_rank", "expression", "value")

    def __init__(
        self, value: Fraction | int, expression: str | None = None, rank: int | None = None
    ) -> None:
        self.value = Fraction(value)
        self.expression = self.decimal() if expression is None else expression
        self._rank = (_PRODUCT if "/" in self.expression else _ATOM) if rank is None else rank

    def __add__(self, other: Quantity | int) -> Quantity:
        return _join(self, "+", other)

    def __radd__(self, other: int) -> Quantity:
        return _join(other, "+", self)

    def __sub__(self, other: Quantity | int) -> Quantity:
        return _join(self, "-", other)

    def __rsub__(self, other: int) -> Quantity:
        return _join(other, "-", self)

    def __mul__(self, other: Quantity | int) -> Quantity:
        return _join(self, "*", other)

    def __rmul__(self, other: int) -> Quantity:
        return _join(other, "*", self)

    def __truediv__(self, other: Quantity | int) -> Quantity:
        return _join(self, "/", other)

    def __rtruediv__(self, other: int) -> Quantity:
        return _join(other, "/", self)

    def __int__(self) -> int:
        if self.value.denominator != 1:
            raise ValueError(f"expected a whole number, got {self.value}")
        return self.value.numerator

    def __str__(self) -> str:
        return self.expression

    def decimal(self) -> str:
        """Value as the shortest decimal, or `p/q` where no finite decimal exists."""
        numerator, denominator = self.value.as_integer_ratio()
        if denominator == 1:
            return str(numerator)
        for places in range(1, 7):
            if 10**places % denominator == 0:
                digits = f"{abs(numerator) * 10**places // denominator:0{places + 1}d}"
                return f"{'-' * (numerator < 0)}{digits[:-places]}.{digits[-places:]}"
        return f"{numerator}/{denominator}"

    def money(self) -> str:
        """Dollars without the sign: whole, or with exactly two decimals."""
        whole, cents = divmod(self.value * 100, 100)
        if cents.denominator != 1:
            raise ValueError(f"expected whole cents, got {self.value} dollars")
        return f"{whole}.{cents.numerator:02d}" if cents else str(whole)

    def __format__(self, spec: str) -> str:
        if spec == "":
            return self.expression
        if spec == "$":
            return f"${self.money()}"
        if spec == "a":
            return a_or_an(self.expression)
        if spec == "times":
            return "twice" if self.value == 2 else f"{_NUMERALS[int(self)]} times"
        if spec == "part":
            numerator, denominator = self.value.as_integer_ratio()
            if denominator == 2:
                return "half"
            name = _PARTS[denominator]
            return f"a {name}" if numerator == 1 else f"{_NUMERALS[numerator]} {name}s"
        return f"{self.decimal()} {spec if self.value == 1 else plural(spec)}"


def known(value: Quantity | Fraction | int) -> Quantity:
    """`value` as a bare number: one that the problem states rather than computes."""
    return Quantity(value.value if isinstance(value, Quantity) else value)


def _join(left: Quantity | int, sign: str, right: Quantity | int) -> Quantity:
    left = left if isinstance(left, Quantity) else Quantity(left)
    right = right if isinstance(right, Quantity) else Quantity(right)
    if sign == "+":
        value, rank = left.value + right.value, _SUM
    elif sign == "-":
        value, rank = left.value - right.value, _SUM
    elif sign == "*":
        value, rank = left.value * right.value, _PRODUCT
    else:
        value, rank = left.value / right.value, _PRODUCT
    head = left.expression if left._rank >= rank else f"({left.expression})"
    # a-(b+c) and a/(b*c) need their parentheses, a+(b-c) and a*(b/c) do not.
    bare = right._rank > rank or (right._rank == rank and sign in "+*")
    tail = right.expression if bare else f"({right.expression})"
    return Quantity(value, f"{head}{sign}{tail}", rank)

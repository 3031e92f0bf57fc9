"""Numerals in a short text: finds them, reads them exactly, and says if they stand alone."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple
from unicodedata import numeric

__all__ = [
    "NUMBER",
    "VARIABLE",
    "Number",
    "parse_number",
    "plain_text",
    "read_plain",
    "read_whole",
]

MAX_DIGITS = 400
"""Longer numerals, and powers of ten beyond this, are read as no number."""

_LONG_DIGITS = 15
_LONG_DECIMALS = 10


class Number(NamedTuple):
    """A number as it was written."""

    value: Fraction
    percent: bool = False
    decimals: int = 0
    """Digits after the decimal point, zeros included; 0 unless written as a decimal."""
    significant: int = 0
    """Digits from the first that is not zero; 0 unless written as a decimal."""

    @property
    def long(self) -> bool:
        """Whether it is likely to be a rounded value rather than an exact one."""
        all_digits = str(abs(self.value * 10**self.decimals).numerator)
        digits = all_digits.rstrip("0")
        decimals = self.decimals - (len(all_digits) - len(digits))
        return decimals >= _LONG_DECIMALS or (decimals > 0 and len(digits) >= _LONG_DIGITS)


# Digits with everything that may stand between two digits; `_parse_numeral` judges it.
# Possessive, so that no input makes the matcher go back.
_NUMERAL = r"\.?[0-9]++(?:[.,:'_\u2009][0-9]++)*+"
_TEX_FRACTION = (
    rf"\\[dtc]?frac\s{{0,2}}(?:\{{\s{{0,2}}(?P<tex_n>-?{_NUMERAL})\s{{0,2}}\}}|(?P<tex_n1>[0-9]))"
    rf"\s{{0,2}}(?:\{{\s{{0,2}}(?P<tex_d>-?{_NUMERAL})\s{{0,2}}\}}|(?P<tex_d1>[0-9]))"
)
NUMBER = re.compile(
    rf"""
    (?P<minus>\b(?:minus|negative)\s)?
    (?:(?P<outer>(?<![\w)}}\]])[-+])(?=[$€£¥]))?
    (?:[$€£¥]\s{{0,2}})?
    (?P<inner>(?<![\w)}}\]])[-+])?
    (?:
        (?:(?<![\w.])(?<![0-9][,:'])(?P<tex_whole>{_NUMERAL})\s{{0,2}})? {_TEX_FRACTION}
    |
        (?<![\w.])(?<![0-9][,:'])
        (?P<numeral>{_NUMERAL})
        (?:
            [eE](?P<exponent>[-+]?[0-9]++)(?!\w)
        |   (?P<times_ten>\s{{0,2}}[*x]\s{{0,2}}10)?
            \s?(?:\^|\*\*)\s{{0,2}}\{{?\s?(?P<power>[-+]?[0-9]++)\s?\}}?
        |   \s{{1,2}}(?:and\s)?(?P<mixed_n>[0-9]++)\s?/\s?(?P<mixed_d>[0-9]++)
        |   \s?/\s?(?P<denominator>{_NUMERAL})
        |   \sand\s(?:a|one)\s(?P<part>half|third|quarter)\b
        |   \s{{1,2}}(?P<scale>hundred|thousand|million|billion|trillion)\b
        )?
    )
    (?:\s{{0,2}}(?P<percent>%|percent(?:age\spoints?)?\b|per\scent\b))?
    """,
    re.VERBOSE | re.IGNORECASE,
)
_PLAIN_NUMERAL = re.compile(
    r"(?P<integer>[1-9][0-9]{0,2}(?:,[0-9]{3})+|[1-9][0-9]{0,2}(?:\u2009[0-9]{3})+|[0-9]*)"
    r"(?:\.(?P<decimals>[0-9]+))?"
)
_SCALE = {
    "hundred": 10**2,
    "thousand": 10**3,
    "million": 10**6,
    "billion": 10**9,
    "trillion": 10**12,
}
_PART = {"half": Fraction(1, 2), "third": Fraction(1, 3), "quarter": Fraction(1, 4)}

# What, around the numbers of a statement (each stands as NUL), makes it more than a number.
_NOT_PLAIN = re.compile(
    r"""
    \\[A-Za-z] | [<>≤≥≠±√π∞^+] | ~~ | \|\x00\|                # mathematics, deleted text
    | [\w)}\x00]\s?\*{1,2}\s?[\w({\x00]                       # products and quotients
    | \x00\s?/\s?[({\x00] | [\w)}\x00]\s?/\s?\x00
    | [\w)}\]\x00]-\x00 | -\s{1,4}\x00                         # a difference, or a bullet?
    | [A-Za-z]\x00 | [A-Za-z][({]\s?\x00 | _\{?\x00            # f(18), x_{18}
    | \x00\}?_[\w{\x00]                                        # 52_{8}
    | \x00(?!(?:g|kg|mg|(?-i:m)|km|cm|mm|mi|ft|in|yd|s|h|hr|hrs|min|l|ml|oz|lb|lbs|mph|usd|c|f
        |st|nd|rd|th)\b)[A-Za-z]                               # 18k, 18x
    | \x00\s(?:[xyznkbi]|(?-i:M)|pi|sqrt|bn|mn|lakh|crore|hundred|thousand|million|billion|trillion
        |half|halves|thirds?|fifths?|sixths?|eighths?|tenths?|hundredths?|thousandths?)\b
    | \x00\s?\((?:in\s)?(?:hundreds?|thousands?|millions?|billions?|trillions?)\b
    | \x00\s?[十百千万萬亿億]
    | \band\s(?:a|one|two|three)\s(?:half|halves|third|thirds|quarter|quarters)\b
    | (?:\b|can)(?:not|never|neither|nor)\s(?:[a-z]++\s){0,3}+[\s$({\["']{0,6}\x00
    | (?:n't|!=)\s(?:[a-z]++\s){0,3}+[\s$({\["']{0,6}\x00
    | \x00(?:\s[a-z]++){0,2}?\s(?:is|was|are)(?:n't|\snot|\swrong|\sincorrect)\b
    | \b(?:more|less|fewer|greater|larger|smaller|higher|lower)\sthan\s[\s$({\["']{0,6}\x00
    """,
    re.VERBOSE | re.IGNORECASE,
)
VARIABLE = re.compile(r"[\s$]{0,8}([A-Za-z])\s{0,4}=")
_WHOLE = re.compile(
    rf"(?:{VARIABLE.pattern})?"
    r"[\s${(]{0,8}\x00[\s$})]{0,8}°?"
    r"(?:[\s({]{0,8}(?:[A-Za-z]{3,20}|kg|cm|mm|km|mi|ft|in|yd|hr|ml|oz|lb)){0,4}[\s$})¢€£¥.]{0,12}"
)
_SPACED_MINUS = re.compile(r"^[\s${(\[]{0,8}-\s{1,4}(?=[$€£¥.0-9\\])")


def read_plain(statement: str, marked: bool) -> Number | None:
    """The number of `statement` if all its numbers agree and nothing alters them."""
    if marked:
        statement = _SPACED_MINUS.sub("-", statement)
    number = None
    for match in NUMBER.finditer(statement):
        found = parse_number(match)
        if found is None or (number is not None and found.value != number.value):
            return None
        number = number or found
    if number is None or _NOT_PLAIN.search(NUMBER.sub("\0", statement)):
        return None
    return number


def read_whole(text: str) -> Number | None:
    """The number that all of `text` is, None if it is anything else."""
    text = plain_text(text)
    if not _WHOLE.fullmatch(NUMBER.sub("\0", text)):
        return None
    return read_plain(text.rpartition("=")[2], marked=True)


def parse_number(match: re.Match[str]) -> Number | None:
    """The value of one match of `NUMBER`, None if it has none that we would bet on."""
    number = _parse_fraction(match) if match["numeral"] is None else _parse_decimal(match)
    if number is None or (match["outer"] and match["inner"]):
        return None
    negative = (match["minus"] is not None) != ("-" in (match["outer"], match["inner"]))
    return number._replace(
        value=-number.value if negative else number.value, percent=match["percent"] is not None
    )


def _parse_fraction(match: re.Match[str]) -> Number | None:
    r"""3/4 as \frac{3}{4}, with or without a whole number before it."""
    above = _parse_numeral(match["tex_n"] or match["tex_n1"])
    below = _parse_numeral(match["tex_d"] or match["tex_d1"])
    if above is None or below is None or below.value == 0:
        return None
    if match["tex_whole"] is None:
        return Number(above.value / below.value)
    return _mixed(_parse_numeral(match["tex_whole"]), above, below)


def _parse_decimal(match: re.Match[str]) -> Number | None:
    numeral = match["numeral"]
    number = _parse_numeral(numeral)
    if number is None:
        return None
    if match["exponent"] is not None:
        return _scaled(number, match["exponent"])
    if match["power"] is not None:
        if match["times_ten"] is not None:
            return _scaled(number, match["power"])
        return _scaled(Number(Fraction(1)), match["power"]) if numeral == "10" else None
    if match["mixed_n"] is not None:
        return _mixed(number, _parse_numeral(match["mixed_n"]), _parse_numeral(match["mixed_d"]))
    if match["denominator"] is not None:
        below = _parse_numeral(match["denominator"])
        return None if below is None or not below.value else Number(number.value / below.value)
    if match["part"] is not None:
        return Number(number.value + _PART[match["part"].lower()])
    if match["scale"] is not None:
        return Number(number.value * _SCALE[match["scale"].lower()])
    between = match.string[match.start("numeral") - 1 : match.start("numeral")]
    after = match.string[match.end("numeral") : match.end("numeral") + 1]
    if "," in numeral and between and between in "([" and after and after in ")]":
        return None  # (2,100): a point of the plane or a number?
    return number


def _parse_numeral(text: str) -> Number | None:
    sign, text = (-1, text[1:]) if text.startswith("-") else (1, text)
    match = _PLAIN_NUMERAL.fullmatch(text) if len(text) <= MAX_DIGITS else None
    if match is None:
        return None
    integer = match["integer"].replace(",", "").replace("\u2009", "")
    decimals = match["decimals"] or ""
    digits = integer + decimals
    return Number(
        Fraction(sign * int(digits), 10 ** len(decimals)),
        decimals=len(decimals),
        significant=len(digits.lstrip("0")),
    )


def _scaled(number: Number, exponent: str) -> Number | None:
    """`number` times ten to the power of `exponent`."""
    if len(exponent) > 5 or abs(int(exponent)) > MAX_DIGITS:
        return None
    return Number(
        number.value * Fraction(10) ** int(exponent),
        decimals=max(number.decimals - int(exponent), 0),
        significant=number.significant,
    )


def _mixed(whole: Number | None, above: Number | None, below: Number | None) -> Number | None:
    """A mixed number such as 1 1/2: whole numbers, and a proper fraction."""
    if whole is None or above is None or below is None:
        return None
    proper = 0 <= above.value < below.value
    if not proper or any(part.value.denominator != 1 for part in (whole, above, below)):
        return None
    return Number(whole.value + above.value / below.value)


# --- From any text to plain text ---------------------------------------------------------

_VULGAR = "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅐⅛⅜⅝⅞⅑⅒"
_CHARACTERS = str.maketrans(
    {
        **dict.fromkeys("−–‐‑﹣－", "-"),
        **dict.fromkeys("\u00a0\u2006\u2007\u2008\u2009\u200a\u202f", "\u2009"),
        **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff", ""),
        **dict.fromkeys("\0`—", " "),
        **dict.fromkeys("×⋅·∙✕∗", "*"),
        **dict.fromkeys("÷∕⁄", "/"),
        **dict.fromkeys("≈≃≅", "="),
        **dict.fromkeys("→⇒⟹", " "),
        **{chr(ord("０") + digit): str(digit) for digit in range(10)},
        **dict(zip("％＄，．＝：（）", "%$,.=:()", strict=True)),
        "’": "'",
        "。": ". ",
        **{char: f" {Fraction(numeric(char)).limit_denominator(10)}" for char in _VULGAR},
    }
)
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_SUPERSCRIPT_RUN = re.compile(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+")

_LAYOUT: list[tuple[re.Pattern[str], str]] = [
    (re.compile(pattern), replacement)
    for pattern, replacement in [
        (r"<[|｜][\w▁]{1,40}[|｜]>", " "),  # the end of a turn, as tokenizers write it
        (r"(?<![A-Za-z])(?:US|AU?|CA?|NZ|HK|SG?|R|MX)(?=\$\s?[0-9.])", ""),
        (r"(?<![A-Za-z])(?:USD|EUR|GBP|CAD|AUD|INR|JPY|CNY|Rs\.?)\s?(?=[$€£¥]?[0-9])", ""),
        (r"(\$\s?[0-9][0-9,.]*+|[0-9]\sdollars?),?\sand\s(?:00?|zero|no)\scents?\b", r"\1"),
        (r"\\!\s{0,2}", ""),
        (r"\{,\}", ","),
        (r"\\[,;: ]|(?<!~)~(?!~)", "\u2009"),
        (r"\\([$%#&])", r"\1"),
        (r"\\[()\[\]]", " "),
        (r"\\(?:left|right|displaystyle|textstyle|quad|qquad)(?![A-Za-z])\.?", " "),
        (r"\\(?:text|mbox|math)(?:bf|it|rm|sf|tt)?\s{0,2}(?=\{)", " "),
        (r"\\(?:times|cdot|ast)(?![A-Za-z])", "*"),
        (r"\\(?:approx|simeq|sim)(?![A-Za-z])", "="),
        (r"\\(?:implies|Rightarrow|rightarrow|to|therefore)(?![A-Za-z])", " "),
        (r"\\degree(?![A-Za-z])|\^\s?\{?\s?\\circ\s?\}?", "°"),
        (r"</?[A-Za-z][^<>\n]{0,60}>|[-=]{1,3}>", " "),
        (r"(?m)^[ \t]{0,8}[*•][ \t]", " "),
        (r"(?<![\w*)])(\*{1,3}|_{1,3})(?=\S)([^*_\n]{1,200}?)(?<=\S)\1(?![\w*(])", r"\2"),
        (r"=\s{0,4}-\s{1,4}(?=[$€£¥.0-9\\])", "= -"),
        # Square metres: the exponent of a unit is no number.
        (
            r"((?:[A-Za-z]{2}|[0-9]\s{0,2}m|\{\s{0,2}m)\s?\}?)\s?\^\s?\{?\s?-?[1-9]\s?\}?(?![0-9])",
            r"\1",
        ),
    ]
]


def plain_text(text: str) -> str:
    """`text` without markup, with one character for each kind of sign and space."""
    text = _SUPERSCRIPT_RUN.sub(lambda run: "^{" + run[0].translate(_SUPERSCRIPTS) + "}", text)
    text = text.translate(_CHARACTERS)
    for pattern, replacement in _LAYOUT:
        text = pattern.sub(replacement, text)
    return text

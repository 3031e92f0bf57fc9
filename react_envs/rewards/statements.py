"""Which of its numbers a statement commits to, if it commits to one (rules in `numeric`)."""

from __future__ import annotations

import re
from itertools import pairwise

from react_envs.rewards.numerals import NUMBER, Number, parse_number, read_plain

__all__ = ["read_statement", "sentences"]

_SENTENCE_END = re.compile(r"[.!?;](?=\s|$)|\n")
_LETTER = re.compile(r"[^\W\d_]")
_WORD = re.compile(r"[A-Za-z']+")
_CURRENCY = re.compile(r"[$€£¥]")

# fmt: off
_PREPOSITIONS = {
    "for", "per", "of", "in", "on", "at", "with", "after", "before", "than", "from",
    "every", "over", "beyond", "during", "within",
}
_CLAUSES = {"when", "if", "that", "which", "who", "while", "where", "after", "before", "as"}
_BETWEEN_PREPOSITION_AND_NUMBER = {
    "the", "a", "an", "all", "her", "his", "their", "its", "my", "our", "your", "this", "these",
    "those", "about", "only", "just", "exactly", "first", "last", "next", "other", "remaining",
    "another", "around", "each", "original", "grade", "day", "week", "month", "year",
}
_RESULTS = {
    "is", "equals", "equal", "makes", "make", "made", "gives", "give",
    "gave", "comes", "come", "came", "totals", "totaling", "totalling", "amounts", "adds", "sums",
    "yields", "produces", "becomes", "means", "costs", "cost", "earns", "earn", "results",
    "brings", "leaves", "sum",
}
_PAST_RESULTS = {"are", "was", "were", "be"}
_ALTERNATIVES = {
    "or", "and", "to", "nor", "not", "plus", "minus", "times", "maybe", "possibly", "perhaps",
    "between",
}
_RETRACTIONS = {
    "or", "nor", "maybe", "possibly", "perhaps", "alternatively", "alternative", "otherwise",
    "else", "either", "neither", "actually", "instead", "wait", "correction", "corrected",
    "revised", "wrong", "incorrect", "mistake", "sorry", "no", "but", "could", "might", "also",
    "guess", "rather", "second", "hmm", "versus", "vs",
}
_DENIALS = {"not", "never", "can't", "cannot", "isn't", "won't", "doesn't", "don't", "wasn't"}
_CONCLUSIONS = {
    "so", "thus", "therefore", "hence", "then", "next", "now", "finally", "total", "altogether",
    "result", "means", "makes", "earns",
}
_OF_A_RATIO = (_PREPOSITIONS - _CLAUSES) | {"out"}
_OF_A_PARENTHESIS = {"base", "mod", "modulo", "remainder", "range", "between", "x"}
# fmt: on
_SPOIL_FIRST_GAP = (_ALTERNATIVES - {"times"}) | _RETRACTIONS | _DENIALS | _RESULTS
_SPOIL_ASIDE = _SPOIL_FIRST_GAP - {"and", "to"}
_SPOIL_CLAIM = _RETRACTIONS | _DENIALS
_SPOIL_REASON = (_RETRACTIONS | _CONCLUSIONS) - {"no", "could", "total"}
_SPOIL_INPUTS = (_ALTERNATIVES - {"plus", "minus", "times"}) | _RETRACTIONS | _DENIALS | _CLAUSES

_JOINED = re.compile(r"\b(?:and|or)\b", re.IGNORECASE)
_MAGNITUDE = re.compile(
    r"\s?(?:dozens?|k|m|bn|hundreds?|thousands?|millions?|billions?|trillions?)\b", re.IGNORECASE
)
_BECAUSE = re.compile(r",?\s(?:because|due to the fact)\b", re.IGNORECASE)
_SINCE = re.compile(
    r",?\s(?:since|given that|as(?=\s(?:he|she|it|they|we|there)\b))\b", re.IGNORECASE
)
_OPENING_END = re.compile(r"\n|[.!](?=\s)")
_LABEL = re.compile(
    r"[\s*_#(]{0,8}(?:an?\s)?(?:brief\s|short\s)?(?:explanations?|reasons?|reasoning|rationale"
    r"|because|since|steps?|solution|calculations?|working|work|workings|justification|details?"
    r"|here's (?:why|how)|this is because)\b",
    re.IGNORECASE,
)
_ONLY_A_LABEL = re.compile(r"[^\W\d][^\n:=]{0,40}[:=]\s{0,4}(?=[-+$€£¥.0-9])")
_NUMBER_FIRST = re.compile(r"[^\w\n]{0,8}[0-9]")
_CUT = re.compile(r"[=;:\n<>|]")
_UNIT = re.compile(r"[\s-]?([A-Za-z]+)")
_OPERATION = re.compile(r"[*/+=]|\s-\s|\b(?:x|times|plus|minus|divided|multiplied)\b", re.I)
_RESULT_VERB = re.compile(
    r"\b(?:is|are|makes?|made|equals?|gives?|totals?|costs?|earns?|yields"
    r"|(?:comes?(?: out)?|amounts?|adds? up|works? out) to)\b",
    re.IGNORECASE,
)
_INPUT_WORDS = {"of", "for", "per", "at", "in", "by", "times", "x", "plus", "minus", "every"}


def sentences(text: str) -> list[str]:
    """`text` cut at sentence ends and line ends."""
    return _SENTENCE_END.split(text)


def read_statement(statement: str, marked: bool) -> Number | None:
    """The one number of `statement`; `marked` if a mark says that it begins right here."""
    if _has_one_number(statement):
        return read_plain(statement, marked)
    opening, rest = _split_opening(statement)
    number = _read_sentence(opening, marked)
    if number is not None and _is_explanation(rest, number):
        return number
    number = _read_equation(statement)
    claim = _leading_claim(opening)
    return (
        None if claim is not None and number is not None and not _holds(claim, number) else number
    )


def _split_opening(statement: str) -> tuple[str, str]:
    """The first line or sentence, and what follows it."""
    statement = statement.strip()
    for end in _OPENING_END.finditer(statement):
        opening = statement[: end.start()]
        # "1. She has 9 eggs": a bare numeral with a full stop numbers what follows.
        if end[0] == "\n" or _CURRENCY.search(opening) or _LETTER.search(opening):
            return opening, statement[end.end() :]
        if statement.startswith("\n", end.end()):
            return opening, statement[end.end() :]
        break
    return statement, ""


def _read_sentence(sentence: str, marked: bool) -> Number | None:
    """What a single sentence claims, by the rules of an aside, a reason and a restated product."""
    if _has_one_number(sentence):
        # Only a sentence that begins with its number can be told from a step of a solution.
        return read_plain(sentence, marked) if _is_claim(sentence) else None
    for shorten in (_without_reason, _without_parenthesis, _without_aside):
        head = shorten(sentence)
        if head is not None:
            return read_plain(head, marked)
    return _read_restated(sentence)


def _leading_claim(opening: str) -> str | None:
    """The claim that a reason or a parenthesis follows, whether or not these support it."""
    reason = _BECAUSE.search(opening) or _SINCE.search(opening)
    if reason is not None:
        claim = opening[: reason.start()]
    elif opening.rstrip(" .!").endswith(")"):
        claim = opening.partition("(")[0]
    else:
        return None
    return claim if _has_one_number(claim) and _NUMBER_FIRST.match(claim) else None


def _is_claim(sentence: str) -> bool:
    """Whether it is a number and at most a few words after it, none of which take it back."""
    first = NUMBER.search(sentence)
    if first is None or _LETTER.search(sentence, 0, first.start()):
        return False
    words = _WORD.findall(sentence[first.end() :].lower())
    return len(words) <= 8 and not (_SPOIL_CLAIM | _RESULTS) & set(words)


def _is_explanation(rest: str, number: Number) -> bool:
    """Whether `rest` explains an answer that stands before it, and holds no other answer."""
    words = _words(rest)
    if _SPOIL_CLAIM & words - {"not", "don't", "doesn't"}:
        return False
    labelled = _LABEL.match(rest) is not None
    for line in filter(str.strip, rest.split("\n")):
        bare = _ONLY_A_LABEL.sub("", line, count=1) if not labelled else line
        if _has_one_number(bare) and _is_claim(bare) and not _holds(bare, number):
            return False
        if not labelled and not _LETTER.match(line.lstrip(" \t*_#(\"'")):
            return False
    return labelled or not _CONCLUSIONS & words or _holds(rest, number)


def _without_reason(sentence: str) -> str | None:
    """The part before "because", if it names one number and nothing is concluded after it."""
    reason = _BECAUSE.search(sentence) or _SINCE.search(sentence)
    if reason is None:
        return None
    head, why = sentence[: reason.start()], sentence[reason.end() :]
    if not _has_one_number(head) or _words(head) & _SPOIL_CLAIM:
        return None
    # "She has 9 left since she eats 7" may be a step; "9 eggs, since she eats 7" is an answer.
    if not _is_claim(head) and ("=" in why or _SINCE.match(sentence, reason.start())):
        return None
    return None if _words(why) & _SPOIL_REASON else head


def _without_parenthesis(sentence: str) -> str | None:
    """The part before a parenthesis at the end, if that holds a reason and no other answer."""
    sentence = sentence.rstrip(" \t\n.!")
    start = sentence.find("(")
    if start < 0 or not sentence.endswith(")"):
        return None
    head, inside = sentence[:start], sentence[start + 1 : -1].lstrip("= ")
    words = _WORD.findall(inside.lower())
    if not _has_one_number(head) or set(words) & (_SPOIL_CLAIM | _OF_A_PARENTHESIS - {"x"}):
        return None
    begins_with_number = NUMBER.match(inside) is not None
    if not begins_with_number and (
        not words or not _LETTER.match(inside) or words[0] in _ALTERNATIVES | {"x"}
    ):
        return None
    if begins_with_number and (
        _has_one_number(inside)
        or (not _OPERATION.search(inside) and _without_aside(inside) is None)
    ):
        return None
    if "=" in inside or set(words) & _RESULTS:
        claimed = next((parse_number(match) for match in NUMBER.finditer(head)), None)
        stated = [parse_number(match) for match in NUMBER.finditer(inside)][-1]
        if claimed is None or stated is None or stated.value != claimed.value:
            return None
    return head


def _without_aside(sentence: str) -> str | None:
    """The part before the second number, if that is a number and then the start of an aside."""
    matches = list(NUMBER.finditer(sentence))
    if len(matches) < 2 or _LETTER.search(sentence, 0, matches[0].start()):
        return None
    first, second = matches[:2]
    if first["scale"] is not None or _MAGNITUDE.match(sentence, first.end()):
        return None
    gap = sentence[first.end() : second.start()]
    words = _WORD.findall(gap.lower())
    # "3 in 4" and "3 out of 4" are ratios; "18 eggs in 4 days" is not.
    if not _CURRENCY.search(first[0]) and (not words or words[0] in _OF_A_RATIO):
        return None
    if set(words) & _SPOIL_FIRST_GAP or _words(sentence[second.end() :]) & _SPOIL_ASIDE:
        return None
    kind = _kind(sentence, first)
    for before, after in pairwise(matches):
        gap = sentence[before.end() : after.start()]
        same_kind = _kind(sentence, after) == kind
        if not _introduces(gap, same_kind) and (before is first or same_kind or _CUT.search(gap)):
            return None
    return sentence[: second.start()]


def _kind(sentence: str, number: re.Match[str]) -> str:
    """What `number` counts: money, or the word after it."""
    unit = _UNIT.match(sentence, number.end())
    word = "" if unit is None else unit[1].lower().removesuffix("s")
    return "$" if _CURRENCY.search(number[0]) or word in ("dollar", "cent", "buck") else word


def _introduces(gap: str, same_kind: bool) -> bool:
    """Whether the words of `gap` make the number after it part of an aside."""
    if _CUT.search(gap):
        return False
    words = _words(gap.rpartition(",")[2])
    return _after_preposition(gap) or (
        bool(words & _CLAUSES) and not same_kind and not words & _PAST_RESULTS
    )


def _after_preposition(gap: str) -> bool:
    for word in reversed(_WORD.findall(gap.rpartition(",")[2].lower())):
        if word in _PREPOSITIONS:
            return True
        if word not in _BETWEEN_PREPOSITION_AND_NUMBER and not word.endswith("ing"):
            return False
    return False


def _read_restated(sentence: str) -> Number | None:
    """The result of a product in words: 144 of "18 dollars per hour for 8 hours is 144 dollars"."""
    verbs = list(_RESULT_VERB.finditer(sentence))
    if len(verbs) != 1:
        return None
    inputs, result = sentence[: verbs[0].start()], sentence[verbs[0].end() :]
    numbers = list(NUMBER.finditer(inputs))
    if len(numbers) < 2 or _LETTER.search(inputs, 0, numbers[0].start()):
        return None
    if re.search(r"[,;:=]\s", inputs) or _words(inputs) & _SPOIL_INPUTS:
        return None
    for before, after in pairwise(numbers):
        gap = inputs[before.end() : after.start()]
        if not _words(gap) & _INPUT_WORDS and not re.fullmatch(r"[^*+/]*[*+/][^*+/]*", gap):
            return None
    if not _has_one_number(result) or _words(result) & _SPOIL_CLAIM:
        return None
    return read_plain(result, marked=False)


def _read_equation(statement: str) -> Number | None:
    """What the last "=" of the last sentence with a number leads to, if nothing rivals it."""
    parts = sentences(statement)
    last = next((part for part in reversed(parts) if NUMBER.search(part)), "")
    sides = last.split("=")
    if len(sides) < 2 or any(_JOINED.search(side) for side in sides[1:-1]):
        return None
    result = sides[-1]
    if not _has_one_number(result):
        result = _without_reason(result) or _without_aside(result) or result
    number = read_plain(result, marked=True)
    if number is None:
        return None
    return None if _has_rival(statement, sides[0].strip(), number) else number


def _has_rival(statement: str, name: str, number: Number) -> bool:
    """Whether a line is another number, or another value of what `number` is the value of."""
    lines = statement.split("\n")
    if len(lines) == 1:
        return False
    for line in lines:
        left, _, right = line.partition("=")
        value = right if name and left.strip() == name else line
        if _has_one_number(value) and _is_claim(value) and not _holds(value, number):
            return True
    return False


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.lower()))


def _holds(text: str, number: Number) -> bool:
    found = (parse_number(match) for match in NUMBER.finditer(text))
    return any(other is not None and other.value == number.value for other in found)


def _has_one_number(statement: str) -> bool:
    first = None
    for match in NUMBER.finditer(statement):
        number = parse_number(match)
        if number is None or (first is not None and number.value != first.value):
            return False
        first = first or number
    return first is not None

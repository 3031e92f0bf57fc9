"""`search` and `lookup` with the page semantics of ReAct (Yao et al., 2023), over any page source.

The messages are those of its Wikipedia environment, to the character. Sentences are cut in one
of two ways. `strict_react=True` cuts as ReAct does: at every ". ", so also after "Dr.", and a
full stop is added to each piece, which gives ".." at the end of a paragraph; backslash escapes
in a page are decoded. Without it sentences are cut where they end and stay as they are.

Three things are different in both modes. What the original fetches anew, a source may know. A
page whose blocks are not known is cut by its lines. And a title that leads from one list of
meanings to another is not followed for ever: after the first list, search gives up.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from react_envs.retrieval.contract import Page, PageSource
from react_envs.retrieval.pages import lists_meanings
from react_envs.tools.tool import Tool, failing_as_the_world
from react_envs.types import Task, ToolResult

__all__ = ["LookupTool", "PageReader", "PageSearchTool", "Think", "page_tools", "split_sentences"]

SHOWN_SENTENCES = 5
SIMILAR_TITLES = 5

PagesOf = Callable[[Task], PageSource]
"""The source of pages for a task."""


class PageReader:
    """What the two tools share in an episode: the page that is open, and the place in it.

    Args:
        pages_of: gives the source for the task of an episode.
        strict_react: cut sentences as ReAct does.
    """

    def __init__(self, pages_of: PagesOf, strict_react: bool = False) -> None:
        self.strict_react = strict_react
        self._pages_of = pages_of
        self._task: Task | None = None
        self._source: PageSource | None = None
        self._sentences: list[str] = []
        self._keyword: str | None = None
        self._found: list[str] = []
        self._shown = 0

    def start(self, task: Task) -> None:
        """Begin an episode with no page open."""
        self._task, self._source = task, self._pages_of(task)
        self._sentences, self._keyword, self._found, self._shown = [], None, [], 0

    @property
    def source(self) -> PageSource:
        """Where the pages of this episode come from."""
        if self._source is None:
            assert self._task is not None
            self._source = self._pages_of(self._task)
        return self._source

    def __getstate__(self) -> dict[str, Any]:
        # a source may hold connections; a copy finds it again and keeps its place
        return {**self.__dict__, "_source": None}

    def search(self, entity: str) -> ToolResult:
        """Open the page of that title; a miss leaves page and place as they are."""
        with failing_as_the_world():
            return self._search(self.source, entity)

    def _search(self, source: PageSource, entity: str) -> ToolResult:
        page = source.page(entity)
        asked = entity
        if page is not None and _lists_meanings(page):
            asked = f"[{entity}]"  # ReAct's way to the list of search results
            page = source.page(asked)
        if page is None or _lists_meanings(page):
            similar = source.similar(asked, SIMILAR_TITLES)
            if self.strict_react:
                similar = [_decode_escapes(title) for title in similar]
            text = f"Could not find {asked}. Similar: {similar}."
            return ToolResult(text, meta={"found": False, "similar": similar})
        self._sentences = split_sentences(page.text, self.strict_react)
        self._keyword = None
        shown = " ".join(self._sentences[:SHOWN_SENTENCES])
        return ToolResult(shown, meta={"found": True, "title": page.title})

    def lookup(self, keyword: str) -> ToolResult:
        """The next sentence of the open page that has the keyword, in any case of letters."""
        if keyword != self._keyword:
            self._keyword, self._shown = keyword, 0
            self._found = [s for s in self._sentences if keyword.lower() in s.lower()]
        if self._shown >= len(self._found):
            text = "No more results.\n" if self.strict_react else "No more results."
            return ToolResult(text, meta={"found": False})
        self._shown += 1
        text = f"(Result {self._shown} / {len(self._found)}) {self._found[self._shown - 1]}"
        return ToolResult(text, meta={"found": True})


class PageSearchTool(Tool):
    """Opens a page."""

    name = "search"

    def __init__(self, reader: PageReader) -> None:
        self.reader = reader

    def start(self, task: Task, seed: int) -> None:
        self.reader.start(task)

    def __call__(self, entity: str) -> ToolResult:
        """Search for the page of an entity: its first sentences, or similar titles.

        Args:
            entity: title of the page, such as the name of a person or a place
        """
        return self.reader.search(entity)


class LookupTool(Tool):
    """Finds the next sentence with a keyword on the page that is open."""

    name = "lookup"

    def __init__(self, reader: PageReader) -> None:
        self.reader = reader

    def start(self, task: Task, seed: int) -> None:
        self.reader.start(task)

    def __call__(self, keyword: str) -> ToolResult:
        """Find the next sentence that contains a keyword on the page found last by search.

        Args:
            keyword: letters to look for; the same keyword again gives the next sentence
        """
        return self.reader.lookup(keyword)


class Think(Tool):
    """ReAct's `think[...]`: a thought as an action, which does nothing."""

    name = "think"

    def __call__(self, thought: str) -> str:
        """Think without doing anything.

        Args:
            thought: any text
        """
        return "Nice thought."


def page_tools(pages_of: PagesOf, strict_react: bool = False) -> list[Tool]:
    """`search` and `lookup` over one page at a time."""
    reader = PageReader(pages_of, strict_react)
    return [PageSearchTool(reader), LookupTool(reader)]


def split_sentences(text: str, strict_react: bool = False) -> list[str]:
    """The sentences of a page, whose paragraphs are its lines.

    >>> split_sentences("Dr. No met J. R. Ewing. They talked.\\nIt was late, e.g. ten.")
    ['Dr. No met J. R. Ewing.', 'They talked.', 'It was late, e.g. ten.']
    >>> split_sentences("Dr. No is here. They talked.", strict_react=True)
    ['Dr.', 'No is here.', 'They talked..']
    """
    lines = [line.strip() for line in text.split("\n")]
    if not strict_react:
        return [sentence for line in lines for sentence in _sentences(line)]
    # a block of two words or fewer is a heading or a piece of the page's frame
    blocks = [_decode_escapes(line) for line in lines if len(line.split(" ")) > 2]
    paragraphs = [p.strip() for block in blocks for p in block.split("\n") if p.strip()]
    pieces = [piece for paragraph in paragraphs for piece in paragraph.split(". ")]
    return [piece.strip() + "." for piece in pieces if piece.strip()]


_ABBREVIATIONS = """
    dr mr mrs ms mx prof rev hon gen col maj capt cmdr lt sgt cpl adm gov sen rep pres st ste mt ft
    sr jr ph esq vs v etc cf viz ca c approx no nos vol vols pp p fig figs ed eds al op cit ch sec
    inc ltd co corp bros dept univ assn dist e.g i.e a.m p.m u.s u.k u.n b.c a.d
    jan feb mar apr jun jul aug sep sept oct nov dec
"""
_NO_END = frozenset(_ABBREVIATIONS.split())
_END = re.compile(r"(?<=[.!?…。！？])([\"'”’)\]»]*)\s+(?=\S)")
_INITIALS = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]")


def _sentences(line: str) -> list[str]:
    sentences, start = [], 0
    for end in _END.finditer(line):
        piece, following = line[start : end.end(1)], line[end.end()]
        if _is_abbreviation(piece, following):
            continue
        sentences.append(piece.strip())
        start = end.end()
    return [*sentences, *([line[start:].strip()] if line[start:].strip() else [])]


def _is_abbreviation(piece: str, following: str) -> bool:
    """True if the full stop at the end of `piece` does not end a sentence."""
    if not piece.endswith("."):
        return False
    if following.islower():
        return True
    word = piece[:-1].rpartition(" ")[2].lstrip("(\"'“‘[")
    if not word:
        return False
    return word.lower() in _NO_END or bool(_INITIALS.fullmatch(word))


def _lists_meanings(page: Page) -> bool:
    return page.disambiguation or lists_meanings(page.text)


_ESCAPE = re.compile(r"\\(.?)", re.DOTALL)
_KNOWN_ESCAPES = frozenset("\n\\'\"abfnrtvxuUN01234567")


def _decode_escapes(text: str) -> str:
    """`text` as ReAct's `clean_str` gives it, or as it is where that one would raise.

    It reads the text as the inside of a Python string in Latin-1 and what comes out as UTF-8: a
    page with a formula such as "\\nu" gets a line break in it.
    """
    if "\\" not in text:
        return text
    # unknown escapes stay as they are; Python would warn of each
    known = _ESCAPE.sub(lambda e: e[0] if e[1] and e[1] in _KNOWN_ESCAPES else "\\" + e[0], text)
    try:
        return known.encode().decode("unicode-escape").encode("latin1").decode("utf-8")
    except UnicodeError:
        return text

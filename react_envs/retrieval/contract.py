"""What every source of documents does: batched queries in, ranked documents out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

__all__ = ["Document", "Hit", "Page", "PageSource", "Retriever"]


@dataclass(frozen=True, slots=True)
class Document:
    """One passage of a corpus."""

    id: str
    title: str
    text: str

    @classmethod
    def from_contents(cls, id: str, contents: str) -> Document:
        """The document that `contents` holds; its first line is the title if it is in quotes.

        >>> Document.from_contents("0", '"Paris"\\nParis is a city.').title
        'Paris'
        """
        line, newline, text = contents.partition("\n")
        if newline and len(line) > 1 and line[0] == line[-1] == '"':
            return cls(id, line[1:-1], text)
        return cls(id, "", contents)

    @property
    def contents(self) -> str:
        """Title and text in one string, as the corpora of Search-R1 and FlashRAG hold them.

        The text alone where there is no title, so that `from_contents` gets back what it gave.

        >>> print(Document("0", "Paris", "Paris is a city.").contents)
        "Paris"
        Paris is a city.
        """
        return f'"{self.title}"\n{self.text}' if self.title else self.text


@dataclass(frozen=True, slots=True)
class Hit:
    """A document that a query found."""

    document: Document
    score: float
    """Larger is better; comparable only between hits of one query and source."""


class Retriever(Protocol):
    """Finds passages. Safe to call from several threads at once."""

    def search(self, queries: Sequence[str], k: int) -> list[list[Hit]]:
        """At most `k` hits for each query, best first; an empty list where nothing matches.

        The result has one list for each query, in the order of the queries.

        Raises:
            ToolFailure: if the source could not be asked. Never an empty result in its stead.
        """

    def close(self) -> None:
        """Release what the source holds."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of an encyclopedia."""

    title: str
    """Its own title, where a redirect or another spelling was asked for."""
    text: str
    """Plain text, paragraphs separated by line breaks."""
    disambiguation: bool = False
    """True if the page only lists the pages that its title may mean."""


class PageSource(Protocol):
    """Finds whole pages by title. Safe to call from several threads at once."""

    def page(self, title: str) -> Page | None:
        """The page of that title, other spellings and redirects followed; None if there is none.

        Raises:
            ToolFailure: if the source could not be asked. Never None in its stead.
        """

    def similar(self, title: str, k: int = 5) -> list[str]:
        """At most `k` titles that the asker may have meant, best first.

        Raises:
            ToolFailure: if the source could not be asked.
        """

    def close(self) -> None:
        """Release what the source holds."""

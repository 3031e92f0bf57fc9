"""How a search tool writes its documents, by the system that reads them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from react_envs.retrieval.contract import Hit

__all__ = ["DOCUMENT_FORMATS"]


def search_r1(hits: Sequence[Hit]) -> str:
    r"""Search-R1 and ZeroSearch: the title as the corpus has it, in quotes, then the text.

    >>> from react_envs.retrieval import Document
    >>> hits = [Hit(Document("0", "Paris", "A city."), 1.0)]
    >>> search_r1(hits)
    'Doc 1(Title: "Paris") A city.\n'
    """
    return "".join(f"Doc {i}(Title: {a}) {b}\n" for i, a, b in _parts(hits))


def skyrl(hits: Sequence[Hit]) -> str:
    """SkyRL-gym: the contents as they are."""
    contents = (hit.document.contents.strip() for hit in hits)
    return "".join(f"Doc {i}: {text}\n" for i, text in enumerate(contents, 1))


def verl(hits: Sequence[Hit]) -> str:
    """verl's search tool: title and text on lines of their own, a blank line between."""
    return "".join(f"Doc {i} (Title: {a})\n{b}\n\n" for i, a, b in _parts(hits)).strip()


def autocoa(hits: Sequence[Hit]) -> str:
    """AutoCoA: `result 1: ...`; the contents alone if there is one document."""
    if len(hits) == 1:
        return hits[0].document.contents
    contents = (hit.document.contents for hit in hits)
    return "\n".join(f"result {i}: {text}" for i, text in enumerate(contents, 1))


def research(hits: Sequence[Hit]) -> str:
    """ReSearch: the contents, a blank line between."""
    return "\n\n".join(hit.document.contents.strip() for hit in hits)


def plain(hits: Sequence[Hit]) -> str:
    """Ours: numbers, titles without quotes, a document a line."""
    documents = (hit.document for hit in hits)
    return "\n".join(
        f"[{i}] {d.title}: {d.text}" if d.title else f"[{i}] {d.text}"
        for i, d in enumerate(documents, 1)
    )


DOCUMENT_FORMATS: dict[str, Callable[[Sequence[Hit]], str]] = {
    "search_r1": search_r1,
    "skyrl": skyrl,
    "verl": verl,
    "autocoa": autocoa,
    "research": research,
    "plain": plain,
}
"""Text of the hits of one query, best first, by name."""


def _parts(hits: Sequence[Hit]) -> list[tuple[int, str, str]]:
    """Number, first line and further lines of each document's contents, as the systems cut them."""
    parts = []
    for i, hit in enumerate(hits, 1):
        title, _, text = hit.document.contents.partition("\n")
        parts.append((i, title, text))
    return parts

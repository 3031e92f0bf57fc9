"""`PageStore`: pages in memory, found by title as Wikipedia's "Go" button finds them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from itertools import islice
from typing import Any

from react_envs.errors import ArgumentError
from react_envs.retrieval.contract import Page
from react_envs.retrieval.titles import TitleIndex, name_key, spellings

__all__ = ["PageStore", "lists_meanings"]


def lists_meanings(text: str) -> bool:
    """True for the text of a disambiguation page, by the words that ReAct looks for.

    >>> lists_meanings("Mercury may refer to:\\nMercury (planet)\\nMercury (element)")
    True
    """
    return "may refer to:" in text


class PageStore:
    """A page source in memory; costs microseconds to make, so a world can have its own.

    A title is tried as written, in small letters, with capitalised words and in capitals, each
    against titles first and redirects second. The store never changes: copies share it.

    Args:
        pages: their titles differ, also in what `name_key` leaves out.
        redirects: title that is asked for, to the title of a page.

    Raises:
        ArgumentError: for two pages of one title and for a redirect that leads to no page.

    >>> store = PageStore([Page("Eiffel Tower", "A tower.")], {"La Tour": "Eiffel Tower"})
    >>> store.page("eiffel tower").title, store.page("LA TOUR").title, store.page("Louvre")
    ('Eiffel Tower', 'Eiffel Tower', None)
    >>> store.similar("Eifel Towers")
    ['Eiffel Tower']
    """

    def __init__(self, pages: Iterable[Page], redirects: Mapping[str, str] | None = None) -> None:
        self._pages: dict[str, Page] = {}
        for page in pages:
            if self._pages.setdefault(name_key(page.title), page) is not page:
                raise ArgumentError(f"expected one page for each title, got two {page.title!r}")
        self._redirects: dict[str, Page] = {}
        for name, target in (redirects or {}).items():
            try:
                self._redirects[name_key(name)] = self._pages[name_key(target)]
            except KeyError:
                raise ArgumentError(
                    f"expected the redirect {name!r} to lead to a page, got {target!r}"
                ) from None

    def page(self, title: str) -> Page | None:
        """The page of that title, other spellings and redirects followed; None if there is none."""
        for key in spellings(title):
            if found := self._pages.get(key) or self._redirects.get(key):
                return found
        return None

    def similar(self, title: str, k: int = 5) -> list[str]:
        """Titles of at most `k` different pages whose title, or a redirect to it, is like `title`.

        Best first, by common words and, for typing errors, common character trigrams (see
        `titles.closest`). Empty if nothing is like it.
        """
        index, targets = self._names
        titles = dict.fromkeys(targets[number].title for number in index.closest(title))
        return list(islice(titles, k))

    def close(self) -> None:
        """Nothing is held open."""

    def __len__(self) -> int:
        return len(self._pages)

    def __deepcopy__(self, memo: dict[int, Any]) -> PageStore:
        return self

    @cached_property
    def _names(self) -> tuple[TitleIndex, list[Page]]:
        names = {**self._redirects, **self._pages}
        return TitleIndex(names), list(names.values())

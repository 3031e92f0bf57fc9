"""`MediaWiki`: pages and passages of a live wiki, such as Wikipedia, through its Action API."""

from __future__ import annotations

import json
import os
import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import react_envs
from react_envs.errors import ArgumentError, ToolFailure
from react_envs.retrieval.answer_cache import AnswerCache
from react_envs.retrieval.breaker import CircuitBreaker
from react_envs.retrieval.contract import Document, Hit, Page
from react_envs.retrieval.corpus import well_formed
from react_envs.retrieval.pages import lists_meanings
from react_envs.retrieval.passages import check_search
from react_envs.retrieval.transport import Transport, TryAgain, shown

__all__ = ["WIKIPEDIA", "MediaWiki"]

WIKIPEDIA = "https://en.wikipedia.org/w/api.php"

CONCURRENCY = 3
MAX_LAG_S = 5
MAX_HITS = 20
"""Introductions that one request may ask for."""
MAX_TITLES = 500
"""Titles that one request may ask for."""
MAX_QUERY_CHARS = 300
MAX_TITLE_BYTES = 255

_HEADING = re.compile(r"^(={2,6}) .* \1$")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_ANSWERS = {"batchcomplete", "query"}
_WORTH_TRYING_AGAIN = ("maxlag", "ratelimited", "readonly", "internal_api_error")

Answer = TypeVar("Answer")


class MediaWiki:
    """Page source and retriever over the API of a wiki; never its HTML.

    `page` resolves a title as the "Go" button does (`srwhat=nearmatch`) and takes the whole page as
    plain text, without headings, in one request; `similar` are the titles that full-text search
    finds. `search` gives the introductions of the pages that full-text search finds. The wiki needs
    the extension TextExtracts, which Wikipedia has. Whether a page is a disambiguation page is told
    by its words (`pages.lists_meanings`).

    After Wikimedia's etiquette: a User-Agent that says who asks, three requests at once for each
    process, `maxlag`, Retry-After, gzip, and a cache. Threads may share it.

    Args:
        user_agent: who you are and how to reach you, such as
            "my-project/1.0 (https://example.org; me@example.org)". Wikipedia refuses others.
        url: address of `api.php`.
        cache: file in which answers are kept, for good and for every process; failures never are.
            Delete it to see new revisions.
        timeout_s, deadline_s, retries: see `Transport`.

    Raises:
        ArgumentError: for a User-Agent that says nothing, or a cache that is none.
    """

    def __init__(
        self,
        user_agent: str,
        url: str = WIKIPEDIA,
        *,
        cache: str | os.PathLike[str] | None = None,
        timeout_s: float = 10.0,
        deadline_s: float = 30.0,
        retries: int = 4,
    ) -> None:
        if not user_agent.isprintable() or not user_agent.isascii() or len(user_agent) < 8:
            raise ArgumentError(
                "expected user_agent to say who you are and how to reach you, such as "
                f"'my-project/1.0 (me@example.org)', got {user_agent!r}"
            )
        self.url = url
        self._cache = None if cache is None else AnswerCache(cache)
        self._transport = Transport(
            {"User-Agent": f"{user_agent} react-envs/{react_envs.__version__}"},
            timeout_s=timeout_s,
            deadline_s=deadline_s,
            retries=retries,
            concurrency=CONCURRENCY,
            breaker=CircuitBreaker(failures=10, pause_s=30.0),
        )

    def page(self, title: str) -> Page | None:
        """The page of that title, other spellings and redirects followed; None if there is none.

        Raises:
            ToolFailure: see `Transport.call`, and of kind `refused` if the API calls it an error.
                An answer that does not say that the question was asked, or that has a warning of
                the search (disabled, cut short), is `bad_response`, never "there is none".
        """
        title = _cleaned(title)
        # what cannot be a title is not asked for; a page can only have titles
        if not title or len(title.encode()) > MAX_TITLE_BYTES:
            return None
        found = self._ask(
            _pages,
            generator="search",
            gsrsearch=title,
            gsrwhat="nearmatch",
            gsrlimit=1,
            redirects=1,
            prop="extracts|revisions",
            rvprop="ids",
            explaintext=1,
            exlimit=1,
        )
        if not found:
            return None
        text = "\n".join(
            line
            for line in found[0]["extract"].split("\n")
            if line.strip() and not _HEADING.match(line)
        )
        return Page(found[0]["title"], text, lists_meanings(text))

    def similar(self, title: str, k: int = 5) -> list[str]:
        """At most `k` (of 500) titles that full-text search finds, best first.

        Raises:
            ToolFailure: as `page` does.
        """
        query = _cleaned(title)[:MAX_QUERY_CHARS]
        if not query or k < 1:
            return []
        limit = min(k, MAX_TITLES)
        return self._ask(
            _titles, list="search", srsearch=query, srwhat="text", srlimit=limit, srprop=""
        )

    def search(self, queries: Sequence[str], k: int) -> list[list[Hit]]:
        """At most `k` introductions for each query, best first.

        A request gives 20 introductions, the most that the API allows; for more, further ones are
        made, each with a deadline of its own. The API tells no scores: they are 1, 1/2, 1/3, ... by
        rank.

        Raises:
            ToolFailure: as `page` does.
        """
        check_search(queries, k)
        return [self._search(_cleaned(query)[:MAX_QUERY_CHARS], k) for query in queries]

    def close(self) -> None:
        """Close connections and cache; the source may be used again afterwards."""
        self._transport.close()
        if self._cache is not None:
            self._cache.close()

    def __deepcopy__(self, memo: dict[int, Any]) -> MediaWiki:
        return self

    def _search(self, query: str, k: int) -> list[Hit]:
        if not query:
            return []
        found: dict[int, dict[str, Any]] = {}
        for offset in range(0, k, MAX_HITS):
            limit = min(MAX_HITS, k - offset)
            more = self._ask(
                _ranked_pages,
                generator="search",
                gsrsearch=query,
                gsrwhat="text",
                gsrlimit=limit,
                **({"gsroffset": offset} if offset else {}),
                redirects=1,
                prop="extracts",
                exintro=1,
                explaintext=1,
                exlimit=limit,
            )
            if not more:  # fewer than asked for is not the end: redirects to one page are one
                break
            for page in more:
                found.setdefault(page["pageid"], page)
        return [
            Hit(Document(str(id), page["title"], page["extract"]), 1 / rank)
            for rank, (id, page) in enumerate(found.items(), start=1)
        ]

    def _ask(self, understand: Callable[[Any], Answer], **parameters: Any) -> Answer:
        parameters = {
            "action": "query",
            "format": "json",
            "formatversion": 2,
            "maxlag": MAX_LAG_S,
            **parameters,
        }
        key = json.dumps([self.url, parameters], sort_keys=True)
        if self._cache is not None and (known := self._cache.get(key)) is not None:
            try:
                _raise_for_error(known)
                return understand(known)
            except (TryAgain, ToolFailure):
                pass  # a damaged entry, which the new answer replaces

        def keep(payload: Any) -> Answer:
            _raise_for_error(payload)
            answer = understand(payload)
            if self._cache is not None:
                self._cache.put(key, payload)
            return answer

        return self._transport.call(keep, "GET", self.url, params=parameters)


def _cleaned(text: str) -> str:
    return unicodedata.normalize("NFC", _CONTROL.sub(" ", well_formed(text))).strip()


def _raise_for_error(payload: Any) -> None:
    """Refuse what is no answer: one says `batchcomplete` or has a `query`, and has no error."""
    if not isinstance(payload, dict):
        raise _no_answer(payload)
    error = payload.get("error")
    if not isinstance(error, dict):
        if "errors" in payload or error is not None or not payload.keys() & _ANSWERS:
            raise _no_answer(payload)
        warnings = payload.get("warnings", {})
        if not isinstance(warnings, dict) or "search" in warnings:
            # not tried again: the query may be what is wrong, and the server is well
            raise ToolFailure(f"the search warns: {shown(warnings)}", "bad_response")
        return
    code = str(error.get("code", ""))
    message = f"{code}: {error.get('info', '')}"[:500]
    if code.startswith(_WORTH_TRYING_AGAIN):
        lag_s = error.get("lag")
        # as long as the servers lag behind, as far as it can be waited for
        after_s = None
        if isinstance(lag_s, int | float):
            after_s = float(min(max(0.0, lag_s), MAX_LAG_S))
        raise TryAgain(
            message, "rate_limited" if code == "ratelimited" else "server_error", after_s
        )
    raise ToolFailure(message, "refused")


def _no_answer(payload: Any) -> TryAgain:
    return TryAgain(f"expected an answer of the API, got {shown(payload)}", "bad_response")


def _pages(payload: Any) -> list[dict[str, Any]]:
    """Existing pages of an answer; a redirect that leads nowhere is none."""
    try:
        pages = payload.get("query", {}).get("pages", [])
        found = [page for page in pages if not page.get("missing") and not page.get("invalid")]
        if not all(_has(page, title=str, extract=str) for page in found):
            raise TypeError("title and extract")
    except (AttributeError, KeyError, TypeError, RecursionError) as error:
        raise TryAgain(f"expected pages, got {shown(payload)}", "bad_response") from error
    return found


def _ranked_pages(payload: Any) -> list[dict[str, Any]]:
    """Existing pages of a search's answer, best first."""
    found = _pages(payload)
    if not all(_has(page, index=int, pageid=int) for page in found):
        raise TryAgain(f"expected pages of a search, got {shown(payload)}", "bad_response")
    return sorted(found, key=lambda page: int(page["index"]))


def _has(entry: dict[str, Any], **types: type) -> bool:
    return all(isinstance(entry.get(name), wanted) for name, wanted in types.items())


def _titles(payload: Any) -> list[str]:
    """Titles of a search's answer; one without a `query` has no list of them and is no answer."""
    try:
        titles = [hit["title"] for hit in payload["query"]["search"]]
        if not all(isinstance(title, str) for title in titles):
            raise TypeError("titles")
    except (KeyError, TypeError) as error:
        raise TryAgain(f"expected titles, got {shown(payload)}", "bad_response") from error
    return titles

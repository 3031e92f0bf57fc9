"""Full-text search for passages, as a tool over any retriever."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from react_envs.errors import ArgumentError, ToolError
from react_envs.retrieval.contract import Retriever
from react_envs.retrieval.formats import DOCUMENT_FORMATS
from react_envs.tools.tool import Tool, failing_as_the_world
from react_envs.types import Task, ToolResult

__all__ = ["NO_PASSAGE", "PassageSearchTool"]

NO_PASSAGE = "No passage matches the query."
"""What the model reads when the search worked and found nothing."""

RetrieverOf = Callable[[Task], Retriever]
"""The retriever for a task."""


class PassageSearchTool(Tool):
    """Finds the passages that fit a query best.

    A retriever that cannot be asked raises `ToolFailure`: the agent reads the one sentence for
    that and `info["tool_failure"]` has the kind. It is never the text for no hit.

    Args:
        retriever_of: gives the retriever for the task of an episode.
        k: the number of passages, at least 1.
        documents: how they are written, a key of `DOCUMENT_FORMATS`.
        name: what the agent calls the tool.
    """

    def __init__(
        self,
        retriever_of: RetrieverOf,
        k: int = 3,
        documents: str = "plain",
        name: str = "search",
    ) -> None:
        if documents not in DOCUMENT_FORMATS:
            known = ", ".join(DOCUMENT_FORMATS)
            raise ArgumentError(f"unknown document format {documents!r}; known: {known}")
        if type(k) is not int or k < 1:
            raise ArgumentError(f"expected k to be an int of at least 1, got {k!r}")
        self.name = name
        self.k = k
        self.documents = documents
        self._retriever_of = retriever_of
        self._task: Task | None = None
        self._retriever: Retriever | None = None

    def start(self, task: Task, seed: int) -> None:
        self._task, self._retriever = task, self._retriever_of(task)

    @property
    def retriever(self) -> Retriever:
        """What is searched in this episode."""
        if self._retriever is None:
            assert self._task is not None
            self._retriever = self._retriever_of(self._task)
        return self._retriever

    def __getstate__(self) -> dict[str, Any]:
        # a retriever may hold connections; a copy finds it again
        return {**self.__dict__, "_retriever": None}

    def __call__(self, query: str) -> ToolResult:
        """Search the encyclopedia for passages that fit a query.

        Args:
            query: words to look for
        """
        if not query.strip():
            raise ToolError("the query is empty; write what to look for")
        with failing_as_the_world():
            (hits,) = self.retriever.search([query], self.k)  # one list for one query
        meta = {"hits": len(hits), "titles": [hit.document.title for hit in hits]}
        text = DOCUMENT_FORMATS[self.documents](hits) if hits else NO_PASSAGE
        return ToolResult(text, meta=meta)

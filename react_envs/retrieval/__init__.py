"""Retrieval: one contract, several sources of documents behind it."""

from __future__ import annotations

from react_envs.retrieval.contract import Document, Hit, Page, PageSource, Retriever
from react_envs.retrieval.pages import PageStore
from react_envs.retrieval.passages import PassageStore
from react_envs.retrieval.sources import make_pages, make_retriever

__all__ = [
    "Document",
    "Hit",
    "Page",
    "PageSource",
    "PageStore",
    "PassageStore",
    "Retriever",
    "make_pages",
    "make_retriever",
]

"""Retrieval: one contract, several sources of documents behind it."""

from __future__ import annotations

from react_envs.retrieval.contract import Document, Hit, Page, PageSource, Retriever
from react_envs.retrieval.pages import PageStore
from react_envs.retrieval.passages import PassageStore

__all__ = ["Document", "Hit", "Page", "PageSource", "PageStore", "PassageStore", "Retriever"]

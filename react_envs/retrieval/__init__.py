"""Retrieval: one contract, several sources of documents behind it."""

from __future__ import annotations

from react_envs.retrieval.contract import Document, Hit, Page, PageSource, Retriever
from react_envs.retrieval.pages import PageStore

__all__ = ["Document", "Hit", "Page", "PageSource", "PageStore", "Retriever"]

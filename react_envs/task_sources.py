"""Where the pages or passages for a task come from: a keyword in `gym.make`, an object here.

`"world"`: the task's own synthetic world; `"context"`: the paragraphs that come with the task;
`"contexts"`: those of all tasks of the split; `"wikipedia"`: the live one; a path: a corpus, a page
file or an index; an address: `api.php` of a wiki, or a retrieval server; a mapping: see
`react_envs.retrieval.sources`; an object: itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from react_envs.errors import ArgumentError
from react_envs.retrieval import (
    Document,
    Page,
    PageSource,
    PageStore,
    PassageStore,
    Retriever,
    make_pages,
    make_retriever,
)
from react_envs.retrieval.titles import name_key
from react_envs.tasks import TaskSet
from react_envs.tasks.synthetic_wiki import world_of
from react_envs.types import Task

__all__ = ["USER_AGENT_VARIABLE", "pages_of_task", "retriever_of_task"]

USER_AGENT_VARIABLE = "REACT_ENVS_USER_AGENT"
"""Who asks Wikipedia; it wants an address that can be written to."""

_Paragraph = tuple[str, str]


def pages_of_task(source: Any, tasks: TaskSet) -> Callable[[Task], PageSource]:
    """The page source for each task, as `source` names it.

    Raises:
        ArgumentError: for a source that is none.
    """
    match source:
        case "world":
            world_of(tasks[0])  # complains
            return _world_pages
        case "context":
            _paragraphs(tasks[0])  # complains
            return _own_pages
        case "contexts":
            return _Contexts(tasks).pages
        case "wikipedia":
            return _Fixed(_wikipedia(), make_pages)
        case str() | os.PathLike():
            return _Fixed(_page_source(os.fspath(source)), make_pages)
    return _Fixed(source, make_pages)


def retriever_of_task(source: Any, tasks: TaskSet) -> Callable[[Task], Retriever]:
    """The retriever for each task, as `source` names it.

    Raises:
        ArgumentError: for a source that is none.
    """
    match source:
        case "world":
            world_of(tasks[0])  # complains
            return _world_passages
        case "context":
            _paragraphs(tasks[0])  # complains
            return _own_passages
        case "contexts":
            return _Contexts(tasks).passages
        case "wikipedia":
            return _Fixed(_wikipedia(), make_retriever)
        case str() | os.PathLike():
            named = _retriever_source(os.fspath(source))
            if named["source"] == "http":
                make_retriever(named)  # complains; it connects to nobody yet
            return _Fixed(named, make_retriever)
    return _Fixed(source, make_retriever)


def _wikipedia() -> dict[str, Any]:
    from react_envs import __version__

    nobody = f"react-envs/{__version__} (no contact given; set {USER_AGENT_VARIABLE})"
    agent = os.environ.get(USER_AGENT_VARIABLE, nobody)
    return {"source": "mediawiki", "user_agent": agent}


def _page_source(text: str) -> dict[str, Any]:
    if text.startswith(("http://", "https://")):
        return {**_wikipedia(), "url": text}
    if _is_corpus(text):
        return {"source": "memory", "corpus": text}
    return {"source": "file", "file": _existing(text)}


def _retriever_source(text: str) -> dict[str, Any]:
    if text.startswith(("http://", "https://")):
        return {"source": "http", "url": text}
    if _is_corpus(text):
        return {"source": "memory", "corpus": text}
    return {"source": "bm25", "index": _existing(text)}


def _is_corpus(path: str) -> bool:
    return path.endswith((".json", ".jsonl", ".jsonl.gz")) and bool(_existing(path))


def _existing(path: str) -> str:
    if not Path(path).exists():
        raise ArgumentError(
            'expected a source: "world", "context", "contexts", "wikipedia", an address, or the '
            f"path of a corpus, a page file or an index; there is no {path!r}"
        )
    return path


class _Fixed:
    """One source for all tasks, made when an episode first needs it."""

    def __init__(self, source: Any, make: Callable[[Any], Any]) -> None:
        if isinstance(source, Mapping):
            source = dict(source)
        elif source is None or isinstance(source, str | int | float | list | tuple):
            make(source)  # complains
        self._source, self._make = source, make

    def __call__(self, task: Task) -> Any:
        return self._make(self._source)

    def __deepcopy__(self, memo: dict[int, Any]) -> _Fixed:
        return self  # it has nothing of an episode


def _world_pages(task: Task) -> PageSource:
    return world_of(task).pages


def _world_passages(task: Task) -> Retriever:
    return world_of(task).passages


def _own_pages(task: Task) -> PageSource:
    return PageStore(_merged(_paragraphs(task)))


def _own_passages(task: Task) -> Retriever:
    return PassageStore(_documents(_paragraphs(task)))


class _Contexts:
    """The paragraphs of all tasks of a set, each once."""

    def __init__(self, tasks: TaskSet) -> None:
        self._tasks = tasks
        _paragraphs(tasks[0])  # complains

    def pages(self, task: Task) -> PageSource:
        return self._pages

    def passages(self, task: Task) -> Retriever:
        return self._passages

    @cached_property
    def _paragraphs(self) -> list[_Paragraph]:
        tasks = (self._tasks[i] for i in range(len(self._tasks)))
        return list(dict.fromkeys(pair for task in tasks for pair in _paragraphs(task)))

    @cached_property
    def _pages(self) -> PageStore:
        return PageStore(_merged(self._paragraphs))

    @cached_property
    def _passages(self) -> PassageStore:
        return PassageStore(_documents(self._paragraphs))

    def __deepcopy__(self, memo: dict[int, Any]) -> _Contexts:
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {"_tasks": self._tasks}


def _paragraphs(task: Task) -> list[_Paragraph]:
    """Title and text of the paragraphs that come with a task."""
    context = task.metadata.get("context")
    if context is None:
        raise ArgumentError(
            f"{task.dataset}/{task.split} has no paragraphs with its questions; use a file that "
            'has them (data=PATH), or another source, such as pages="wikipedia"'
        )
    return [(title, "".join(sentences)) for title, sentences in context]


def _merged(paragraphs: Iterable[_Paragraph]) -> list[Page]:
    """Pages; paragraphs of one title become lines of one page."""
    texts: dict[str, list[str]] = {}
    titles: dict[str, str] = {}
    for title, text in paragraphs:
        titles.setdefault(name_key(title), title)
        texts.setdefault(name_key(title), []).append(text)
    return [Page(titles[key], "\n".join(lines)) for key, lines in texts.items()]


def _documents(paragraphs: Iterable[_Paragraph]) -> list[Document]:
    return [Document(str(i), title, text) for i, (title, text) in enumerate(paragraphs)]

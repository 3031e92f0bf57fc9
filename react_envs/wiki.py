"""`make_wiki_env`: questions about an encyclopedia, with pages, passages or both."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import gymnasium as gym

from react_envs.errors import ArgumentError
from react_envs.registration import assemble
from react_envs.task_sources import pages_of_task, retriever_of_task
from react_envs.tasks import (
    DATASETS,
    Reordered,
    SyntheticWiki,
    TaskSet,
    load_tasks,
    react_order,
)
from react_envs.tools import PassageSearchTool, Tool, page_tools

__all__ = ["make_wiki_env"]

SYNTHETIC_SPLITS = {
    "synthetic": "train",
    "synthetic_train": "train",
    "synthetic_test": "test",
}
"""As for GSM8K: who trains on the default and evaluates on "synthetic_test" never meets a world,
a name or a wording twice."""

INSTRUCTIONS = {
    "synthetic_wiki": (
        "Answer the question from the encyclopedia. The answer is a name, a number, a year or a "
        'word; if the encyclopedia does not tell it, answer "no answer".'
    ),
    "fever": (
        "Decide from an encyclopedia whether the claim is true. Answer with one of the labels "
        "SUPPORTS, REFUTES or NOT ENOUGH INFO."
    ),
}
QUESTION = (
    "Answer the question with the help of an encyclopedia. The answer is short: a name, a date, "
    "yes or no."
)


def make_wiki_env(
    dataset: str,
    split: str,
    *,
    mode: Literal["pages", "passages", "both"] = "pages",
    pages: Any = None,
    retriever: Any = None,
    corpus: str | os.PathLike[str] | None = None,
    k: int | None = None,
    documents: str | None = None,
    strict_react: bool = False,
    dialect: str | Mapping[str, Any] | Any = "react",
    tools: Iterable[str | Mapping[str, Any] | Any] = (),
    reward: str | Mapping[str, Any] | Callable[..., float] = "exact_match",
    max_steps: int | None = None,
    usual_steps: int = 10,
    on_limit: Literal["truncate", "answer", "refuse", "finish"] | None = None,
    order: Literal["published", "react"] = "published",
    data: str | os.PathLike[str] | None = None,
    data_seed: int = 0,
    world: Mapping[str, Any] | None = None,
    instructions: str | None = None,
    simulate: str | Mapping[str, Any] | Any = None,
    render_mode: str | None = None,
) -> gym.Env[str, str]:
    """What `gym.make("ReactWiki-v0", ...)` builds: a `ReactEnv` whose tools read an encyclopedia.

    Sources are named by `"world"` (the task's synthetic world), `"context"` (the paragraphs that
    come with the task), `"contexts"` (those of the whole split), `"wikipedia"` (live), an address,
    a path, a mapping (`react_envs.retrieval.sources`), or an object.

    Args:
        dataset: `"synthetic_wiki"` or a question set of `react_envs.tasks.DATASETS`.
        split: one of the data set's published splits; of synthetic questions "synthetic" (alias of
            "synthetic_train") and "synthetic_test".
        mode: `"pages"`: the tools `search` and `lookup` read page by page, as ReAct's do;
            `"passages"`: `search` finds passages; `"both"`: pages, and passages by `retrieve`.
        pages: source of the pages; by default the world, or live Wikipedia.
        retriever: source of the passages; by default the same.
        corpus: a corpus file for both, read into memory.
        k: number of passages that a search gives; by default as many as in the dialect's system,
            or 3 where it has no number.
        documents: how passages are written, a key of `retrieval.formats.DOCUMENT_FORMATS`; by
            default as the dialect's system does.
        strict_react: cut sentences exactly as ReAct does (see `react_envs.tools.pages`).
        dialect: a name, `{"name": ..., **options}` or an object.
        tools: further tools beside those of the mode, such as `["python"]`.
        reward: a preset's name, `{term: weight}`, or a function of the `Episode`.
        max_steps: turns until the episode is truncated; None for the dialect's own number, or
            `usual_steps` where it has none.
        usual_steps: 20 in "ReactWiki-v0" and "ReactMultiTool-v0", whose questions take up to four
            hops.
        on_limit: what happens then (see `StepLimit`); None for the dialect's own rule, as in
            `make_env`.
        order: `"react"`: HotpotQA's dev set or FEVER in the order of ReAct's evaluation.
        data: a file or folder to read a published split from (see `load_tasks`).
        data_seed: which unlimited stream of synthetic questions.
        world: options of synthetic worlds and questions (see `SyntheticWiki`).
        instructions: the text before the question, as in `make_env`.
        simulate: what plays the tools instead of themselves, as in `make_env`.
        render_mode: None or `"ansi"`.

    Raises:
        ArgumentError: for arguments that cannot be used.
        DataNotFoundError: if a published split is on none of the usual places.
    """
    from react_envs.dialects import make_dialect

    if dataset == "fever" and dialect == "react_paper":
        dialect = {"name": "react_paper", "question": "Claim"}  # as ReAct's FEVER prompt has it
    made = make_dialect(dialect)
    _check_used(
        mode, pages=pages, retriever=retriever, documents=documents, k=k, strict=strict_react
    )
    tasks = _tasks(dataset, split, order, data, data_seed, world)
    usual = "world" if dataset == "synthetic_wiki" else "wikipedia"
    reading = _reading_tools(
        mode,
        _one_source("pages", pages, corpus, usual),
        _one_source("retriever", retriever, corpus, usual),
        tasks,
        strict_react,
        k if k is not None else made.limits.documents or 3,
        documents if documents is not None else made.documents,
    )
    grader = DATASETS[dataset].grader if dataset in DATASETS else "text"
    return assemble(
        tasks,
        [*reading, *_listed(tools)],
        made,
        instructions=INSTRUCTIONS.get(dataset, QUESTION),
        own_instructions=instructions,
        simulate=simulate,
        reward=reward,
        grader=grader,
        max_steps=max_steps,
        on_limit=on_limit,
        render_mode=render_mode,
        usual_steps=usual_steps,
    )


def _tasks(
    dataset: str,
    split: str,
    order: str,
    data: str | os.PathLike[str] | None,
    data_seed: int,
    world: Mapping[str, Any] | None,
) -> TaskSet:
    if order not in ("published", "react"):
        raise ArgumentError(f"order must be 'published' or 'react', actually: {order!r}")
    if dataset == "synthetic_wiki":
        if split not in SYNTHETIC_SPLITS:
            known = ", ".join(SYNTHETIC_SPLITS)
            raise ArgumentError(f"synthetic questions have no split {split!r}; known: {known}")
        if data is not None or order == "react":
            raise ArgumentError("synthetic questions are generated: they take no data= or order=")
        part: Any = SYNTHETIC_SPLITS[split]
        try:
            return SyntheticWiki(part, seed=data_seed, **(world or {}))
        except TypeError as error:
            raise ArgumentError(f"world={world!r} cannot be used: {error}") from error
    if world is not None or data_seed != 0:
        raise ArgumentError(
            f"world and data_seed choose synthetic questions; {dataset}/{split} has none"
        )
    tasks = load_tasks(dataset, split, data)
    if order == "published":
        return tasks
    if (dataset, split) not in (("hotpotqa", "dev"), ("fever", "dev")):
        raise ArgumentError("order='react' is one of the dev splits of hotpotqa and fever")
    return Reordered(tasks, react_order())


def _check_used(
    mode: str, *, pages: Any, retriever: Any, documents: Any, k: int | None, strict: bool
) -> None:
    """A source for the tools of another mode was meant for something: tell it."""
    unused = {
        "pages": {
            "retriever": retriever is not None,
            "documents": documents is not None,
            "k": k is not None,
        },
        "passages": {"pages": pages is not None, "strict_react": strict},
    }
    for name, given in unused.get(mode, {}).items():
        if given:
            raise ArgumentError(f"{name}= has no use with mode={mode!r}; try mode='both'")


def _one_source(name: str, source: Any, corpus: Any, usual: str) -> Any:
    if corpus is not None and source is not None:
        raise ArgumentError(f"expected one of {name}= and corpus=, got both")
    if corpus is not None:
        return {"source": "memory", "corpus": os.fspath(corpus)}
    return usual if source is None else source


def _reading_tools(
    mode: str,
    pages: Any,
    retriever: Any,
    tasks: TaskSet,
    strict_react: bool,
    k: int,
    documents: str,
) -> list[Tool]:
    if mode not in ("pages", "passages", "both"):
        raise ArgumentError(f"mode must be 'pages', 'passages' or 'both', actually: {mode!r}")
    found: list[Tool] = []
    if mode != "passages":
        found += page_tools(pages_of_task(pages, tasks), strict_react)
    if mode != "pages":
        name = "search" if mode == "passages" else "retrieve"
        found.append(PassageSearchTool(retriever_of_task(retriever, tasks), k, documents, name))
    return found


def _listed(tools: Any) -> list[Any]:
    if isinstance(tools, str) or not isinstance(tools, Iterable):
        raise ArgumentError(f"expected a list of tools, got {tools!r}: write [{tools!r}]")
    return list(tools)

"""The commands `react-envs index` and `react-envs serve-retrieval`."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from react_envs.errors import ArgumentError
from react_envs.retrieval import Retriever, make_retriever

__all__ = ["add_commands"]


def add_commands(commands: Any) -> None:
    """Add both commands to the subparsers of `react-envs`."""
    index = commands.add_parser("index", help="build, check and search an index of passages")
    parts = index.add_subparsers(required=True, metavar="build | check | search | pages")

    build = parts.add_parser("build", help="index a corpus for BM25")
    _corpus(build)
    build.add_argument("index", metavar="INDEX", help="folder of the index")
    build.add_argument("--resume", action="store_true", help="go on with a build that broke off")
    build.set_defaults(run=_build)

    check = parts.add_parser("check", help="read an index or a page file to the end")
    check.add_argument("index", metavar="INDEX", help="folder of an index, or a page file")
    check.set_defaults(run=_check)

    search = parts.add_parser("search", help="print the best passages for queries")
    search.add_argument("index", metavar="INDEX")
    search.add_argument("queries", nargs="+", metavar="QUERY")
    search.add_argument("-k", type=int, default=3, help="passages for each query (default: 3)")
    search.set_defaults(run=_search)

    pages = parts.add_parser("pages", help="join a corpus's passages to pages found by title")
    _corpus(pages)
    pages.add_argument("file", metavar="FILE", help="the page file to write")
    pages.set_defaults(run=_pages)

    serve = commands.add_parser(
        "serve-retrieval", help="serve an index by HTTP, as Search-R1 and FlashRAG do"
    )
    serve.add_argument("index", nargs="?", metavar="INDEX", help="folder of a BM25 index")
    serve.add_argument(
        "--source", metavar="JSON", help='another source, such as {"source": "memory", ...}'
    )
    serve.add_argument(
        "--host", default="127.0.0.1", help="address to listen on; anyone who reaches it may ask"
    )
    serve.add_argument("--port", type=int, default=8000, help="0 for any free one")
    serve.set_defaults(run=_serve)


def _corpus(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "corpus",
        metavar="CORPUS",
        help=".jsonl (.gz) or .json of {id, contents} or {title, text}",
    )


def _build(options: argparse.Namespace, console: Console) -> int:
    from react_envs.retrieval.corpus import read_corpus
    from react_envs.retrieval.index_build import build_index

    with _progress(console) as progress:
        bar = progress.add_task("build", total=os.path.getsize(options.corpus), note="")
        index = build_index(
            read_corpus(options.corpus, lambda read: progress.update(bar, completed=read)),
            options.index,
            resume=options.resume,
            on_document=lambda count: progress.update(bar, note=f"{count:,} passages"),
        )
    _print_facts(index.manifest)
    return 0


def _check(options: argparse.Namespace, console: Console) -> int:
    if Path(options.index).is_file():
        return _check_pages(options.index)
    from react_envs.retrieval.bm25 import read_manifest
    from react_envs.retrieval.index_build import check_index

    files = read_manifest(Path(options.index))["files"].values()
    with _progress(console) as progress:
        bar = progress.add_task("check", total=sum(file["bytes"] for file in files), note="")
        manifest = check_index(options.index, lambda read: progress.update(bar, completed=read))
    _print_facts(manifest)
    Console().print("every byte that is searched is as it was built")
    return 0


def _check_pages(file: str) -> int:
    from react_envs.retrieval.page_file import PageFile

    pages = PageFile(file)
    pages.check()
    Console().print(f"{len(pages)} pages, every row is as it was built", soft_wrap=True)
    return 0


def _search(options: argparse.Namespace, console: Console) -> int:
    from react_envs.retrieval.bm25 import BM25Index

    index = BM25Index(options.index)
    out = Console()
    for query, hits in zip(options.queries, index.search(options.queries, options.k), strict=True):
        out.print(f"{query}: {len(hits)} hits", markup=False, highlight=False, soft_wrap=True)
        for hit in hits:
            document = hit.document
            line = f"{hit.score:8.3f}  [{document.id}] {document.title}: {document.text}"
            out.print(line, markup=False, highlight=False, soft_wrap=True)
    index.close()
    return 0


def _pages(options: argparse.Namespace, console: Console) -> int:
    from react_envs.retrieval.corpus import pages_of, read_corpus
    from react_envs.retrieval.page_file import build_page_file

    with _progress(console) as progress:
        bar = progress.add_task("pages", total=os.path.getsize(options.corpus), note="")
        passages = read_corpus(options.corpus, lambda read: progress.update(bar, completed=read))
        pages = build_page_file(
            pages_of(passages),
            options.file,
            on_page=lambda count: progress.update(bar, note=f"{count:,} pages"),
        )
    Console().print(f"{len(pages)} pages in {pages.path}", soft_wrap=True)
    return 0


def _serve(options: argparse.Namespace, console: Console) -> int:
    from react_envs.retrieval.server import RetrievalServer

    if (options.index is None) == (options.source is None):
        raise ArgumentError("expected either INDEX or --source")
    retriever = _retriever(options)

    def ready(address: str) -> None:
        console.print(f"serving on {address} (POST /retrieve, /search, /batch_search)")

    asyncio.run(RetrievalServer(retriever, options.host, options.port).serve(ready))
    retriever.close()
    console.print("stopped")
    return 0


def _retriever(options: argparse.Namespace) -> Retriever:
    if options.source is None:
        return make_retriever({"source": "bm25", "index": options.index})
    try:
        source = json.loads(options.source)
    except ValueError as error:
        raise ArgumentError(f"expected a JSON object, got {options.source}: {error}") from error
    return make_retriever(source)


def _print_facts(manifest: dict[str, Any]) -> None:
    size = sum(file["bytes"] for file in manifest["files"].values()) / 1e6
    Console().print(
        f"{manifest['documents']} passages, {size:.1f} MB, BM25 k1 {manifest['k1']} "
        f"b {manifest['b']}, {manifest['fingerprint']}",
        soft_wrap=True,
    )


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=console,
    )

"""Building an index that a kill does not spoil, and checking one to the last byte."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from contextlib import closing
from itertools import chain, islice
from pathlib import Path
from typing import Any

from react_envs.errors import ArgumentError
from react_envs.retrieval.bm25 import (
    ANALYZER,
    ENGINE_FOLDER,
    MANIFEST,
    MOST_PASSAGES,
    TEXT_FOLDER,
    BM25Index,
    IndexDamagedError,
    analyzer,
    import_tantivy,
    mix,
    read_manifest,
    schema,
)
from react_envs.retrieval.contract import Document
from react_envs.retrieval.corpus import well_formed
from react_envs.retrieval.passages import K1, B
from react_envs.retrieval.text_file import TextFileWriter, import_zstandard

__all__ = ["build_index", "check_index"]

JOURNAL = "building.jsonl"
COMMIT_EVERY = 250_000
"""Passages between two points from which a build can go on."""
HEAP_BYTES_PER_THREAD = 128 * 2**20


def build_index(
    documents: Iterable[Document],
    path: str | os.PathLike[str],
    *,
    resume: bool = False,
    on_document: Callable[[int], object] | None = None,
    commit_every: int = COMMIT_EVERY,
) -> BM25Index:
    """Index `documents` below `path` and open the index.

    Text comes back verbatim, but for lone surrogates. Memory: 128 MiB for each of at most four
    threads. Until the manifest is written, as the last thing, the folder is no index to anyone.

    Args:
        documents: the corpus; a resumed build needs the same one in the same order.
        path: a folder that is empty or not there.
        resume: go on with a half-built index. The passages that are in it are read again and
            compared, but not indexed again; those of a complete index, too.
        on_document: called with the number of passages so far, every 1,000 passages.
        commit_every: passages between two points from which the build can go on.

    Raises:
        ArgumentError: if the folder has files and `resume` is off, if another process builds
            there, if the corpus is not the one that the index there was begun or made with, or if
            it has more than 2**32 passages.
        IndexDamagedError: if a half-built index cannot be gone on with.
        OSError: if the disk is full; the build can be gone on with.
    """
    tantivy = import_tantivy()
    import_zstandard()  # before there is a folder
    path = Path(path).absolute()
    documents = iter(documents)
    # before there is a folder: a corpus that cannot be read leaves none behind
    documents = chain(list(islice(documents, 1)), documents)
    if resume and (path / MANIFEST).exists():
        return _complete(documents, path, on_document)
    if not resume and path.exists() and any(path.iterdir()):
        raise ArgumentError(
            f"{path} is not empty; pass another folder, or --resume to go on with a build"
        )
    (path / ENGINE_FOLDER).mkdir(parents=True, exist_ok=True)
    try:
        index = tantivy.Index(schema(), str(path / ENGINE_FOLDER))
        index.register_tokenizer(ANALYZER, analyzer())
        index.config_reader("manual", 1)
        index.reload()
    except Exception as error:
        raise IndexDamagedError(f"{path} cannot be gone on with: {error}; remove it") from error
    threads = min(4, os.cpu_count() or 1)
    try:
        writer = index.writer(threads * HEAP_BYTES_PER_THREAD, threads)
    except Exception as error:
        if "LockBusy" in str(error) or "lock" in str(error).lower():
            raise ArgumentError(f"another process is building in {path}: {error}") from error
        raise IndexDamagedError(f"{path} cannot be written: {error}") from error

    digest = hashlib.sha256()
    done = index.searcher().num_docs
    expected = _journaled(path, done)
    try:
        texts = TextFileWriter(path / TEXT_FOLDER, done)
    except (OSError, ValueError) as error:
        raise IndexDamagedError(f"{path} cannot be gone on with: {error}; remove it") from error
    count = 0
    with closing(texts):
        for count, document in enumerate(documents, start=1):
            document = _add_to(digest, document)
            if on_document and count % 1000 == 0:
                on_document(count)
            if count == done and digest.hexdigest() != expected:
                raise ArgumentError(
                    f"the first {done} passages are not those that {path} was begun with; "
                    "remove the folder to build anew"
                )
            if count <= done:
                continue
            if count > MOST_PASSAGES:
                raise ArgumentError(f"expected at most {MOST_PASSAGES} passages, got more")
            entry = tantivy.Document()
            entry.add_text("contents", document.title)
            entry.add_text("contents", document.text)
            entry.add_unsigned("position", mix(count - 1))
            try:
                texts.add(document)
                writer.add_document(entry)
            except (OSError, ValueError) as error:  # ValueError: a thread of the writer had ended
                raise _not_written(path, error) from error
            if count % commit_every == 0:
                _commit(path, texts, writer, count, digest.hexdigest())
        if count < done:
            raise ArgumentError(f"{path} has {done} passages, the corpus only {count}")
        _commit(path, texts, writer, count, digest.hexdigest())
    try:
        writer.wait_merging_threads()
    except ValueError as error:
        raise _not_written(path, error) from error
    _write_manifest(path, count, digest.hexdigest())
    (path / JOURNAL).unlink()
    return BM25Index(path)


def check_index(
    path: str | os.PathLike[str], on_bytes: Callable[[int], object] | None = None
) -> dict[str, Any]:
    """Read every byte that is searched and compare it with the manifest; returns the manifest.

    Left out are the engine's own notes (`.managed.json`, lock files): it rewrites them, and
    `BM25Index` opens the index without them.

    Args:
        path: folder of the index.
        on_bytes: called with the number of bytes read so far.

    Raises:
        IndexDamagedError: if anything differs from what was built.
    """
    path = Path(path).absolute()
    manifest = read_manifest(path)
    read = 0
    for name, expected in manifest["files"].items():
        file = path / name
        if not file.is_file() or _sha256(file) != expected["sha256"]:
            raise IndexDamagedError(f"{file} is not as it was built; build the index again")
        read += expected["bytes"]
        if on_bytes:
            on_bytes(read)
    found = BM25Index(path)._searcher.num_docs
    if found != manifest["documents"]:
        raise IndexDamagedError(
            f"{path}: expected {manifest['documents']} passages, got {found}; build it again"
        )
    return manifest


def _complete(
    documents: Iterable[Document], path: Path, on_document: Callable[[int], object] | None
) -> BM25Index:
    """The complete index in `path`, if it is of `documents`."""
    index = BM25Index(path)
    digest = hashlib.sha256()
    for count, document in enumerate(documents, start=1):
        _add_to(digest, document)
        if on_document and count % 1000 == 0:
            on_document(count)
    if index.manifest["fingerprint"] != f"sha256:{digest.hexdigest()}":
        raise ArgumentError(
            f"{path} is complete already; it is of another corpus: pass another folder"
        )
    return index


def _add_to(digest: Any, document: Document) -> Document:
    """The passage as it is indexed."""
    id, title, text = map(well_formed, (document.id, document.title, document.text))
    digest.update(f"{id}\0{title}\0{text}\0".encode())
    return Document(id, title, text)


def _commit(path: Path, texts: TextFileWriter, writer: Any, count: int, digest: str) -> None:
    # first texts and journal: after a kill in between, they have more than is looked for
    try:
        texts.flush()
    except OSError as error:
        raise _not_written(path, error) from error
    with open(path / JOURNAL, "a") as journal:
        journal.write(json.dumps({"documents": count, "sha256": digest}) + "\n")
        journal.flush()
        os.fsync(journal.fileno())
    try:
        writer.commit()
    except ValueError as error:
        raise _not_written(path, error) from error


def _not_written(path: Path, error: Exception) -> OSError:
    return OSError(f"{path} could not be written ({error}); then go on with --resume")


def _journaled(path: Path, documents: int) -> str:
    """Hash of the first `documents` passages, as it was when they were committed."""
    if documents == 0:
        return hashlib.sha256().hexdigest()
    try:
        for line in (path / JOURNAL).read_text().split("\n"):
            if line.endswith("}") and (entry := json.loads(line))["documents"] == documents:
                return str(entry["sha256"])
    except (OSError, ValueError, LookupError) as error:
        raise IndexDamagedError(f"{path / JOURNAL}: {error}; remove {path}") from error
    raise IndexDamagedError(f"{path / JOURNAL} knows of no {documents} passages; remove {path}")


def _write_manifest(path: Path, documents: int, digest: str) -> None:
    # without the engine's own bookkeeping, rewritten when a reader opens or a writer starts
    files = [
        file
        for folder in (ENGINE_FOLDER, TEXT_FOLDER)
        for file in sorted((path / folder).iterdir())
        if file.suffix != ".lock" and file.name != ".managed.json"
    ]
    manifest = {
        "documents": documents,
        "fingerprint": f"sha256:{digest}",
        "analyzer": ANALYZER,
        "k1": K1,
        "b": B,
        "engine": import_tantivy().__version__,
        "files": {
            f"{file.parent.name}/{file.name}": {
                "bytes": file.stat().st_size,
                "sha256": _sha256(file),
            }
            for file in files
        },
    }
    unfinished = path / f"{MANIFEST}.tmp"
    with open(unfinished, "w") as file:
        json.dump(manifest, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, path / MANIFEST)


def _sha256(file: Path) -> str:
    with open(file, "rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()

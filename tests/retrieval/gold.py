"""Questions with gold paragraphs, and how many of them are among the first five hits."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from react_envs.retrieval import Document


def questions(data: Path, name: str) -> Iterator[tuple[str, set[tuple[str, str]]]]:
    """Questions of hotpotqa or musique; title and text of their gold paragraphs.

    HotpotQA names its gold pages by title, and no two of its pages have one title.
    """
    for row in json.loads((data / name / "with_context_100.json").read_text()):
        if name == "musique":
            gold = {
                (p["title"], p["paragraph_text"]) for p in row["paragraphs"] if p["is_supporting"]
            }
        else:
            texts = {title: "".join(sentences) for title, sentences in row["context"]}
            gold = {(title, texts[title]) for title, _ in row["supporting_facts"]}
        yield row["question"], gold


def recall_at_5(found: Sequence[Sequence[Document]], gold: Sequence[set[tuple[str, str]]]) -> float:
    """Mean share of a question's gold paragraphs among its first five documents."""
    shares = [
        len({(document.title, document.text) for document in documents[:5]} & paragraphs)
        / len(paragraphs)
        for documents, paragraphs in zip(found, gold, strict=True)
    ]
    return sum(shares) / len(shares)

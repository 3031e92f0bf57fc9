"""Standard question sets: what a row of each published file or hub copy means.

Rows come in several shapes: the authors' own, FlashRAG's (`question`, `golden_answers`), and
SimpleDeepSearcher's (`Question`, `answer` as a list). A set's reader takes those that exist for it.
`metadata` has, where the row tells it: `id`, `type`, `supporting_titles`, and `context`, the
paragraphs that come with the question as `[title, [sentence, ...]]`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from react_envs.tasks.dataset import Dataset
from react_envs.types import Task

__all__ = ["QUESTION_SETS"]

Row = Mapping[str, Any]

FLASHRAG = "RUC-NLPIR/FlashRAG_datasets"

_AUTOCOA_QUESTION = "please answer the user's question below:"

AUTOCOA_SUBSETS = {
    "triviaqa": "TriviaQA_dev.json",
    "2wiki": "2WIKI_dev.json",
    "hotpotqa": "HotpotQA_dev.json",
    "musique": "MuSiQue_dev.json",
    "nq": "NQ_dev.json",
    "fanoutqa": "Fanout_dev.json",
    "bamboogle": "Bamboogle_dev.json",
}
"""Parts of the AutoCoA evaluation set, by the `source_file` of their rows."""


def _question(row: Row) -> Task:
    """A row of any shape without paragraphs: a question and one or several answers."""
    question = row["Question"] if "Question" in row else row["question"]
    for key in ("golden_answers", "possible_answers", "answer", "Answer"):
        if key in row:
            answers = row[key]
            break
    else:
        raise KeyError("none of golden_answers, possible_answers, answer")
    if isinstance(answers, str) and "possible_answers" in row:
        answers = json.loads(answers)  # PopQA writes a list as text
    if isinstance(answers, Mapping):  # TriviaQA
        answers = [_named(answers, "value"), *_named(answers, "aliases")]
    if not isinstance(answers, list):
        answers = [answers]
    return Task(
        str(question).strip(), _distinct(answers), metadata=_some(row, "id", "type", "prop")
    )


def _named(answer: Row, key: str) -> Any:
    """TriviaQA's own files write `Value` and `Aliases`, the hub `value` and `aliases`."""
    return answer[key] if key in answer else answer[key.title()]


def _hotpotqa(row: Row) -> Task:
    """HotpotQA and 2WikiMultihopQA, with or without paragraphs."""
    task = _question(row)
    metadata = {**task.metadata, **_some(row, "level")}
    if "_id" in row:
        metadata["id"] = row["_id"]
    if "supporting_facts" in row:
        facts = _columns(_loaded(row["supporting_facts"]), "title", "sent_id")
        metadata["supporting_titles"] = list(dict.fromkeys(title for title, _ in facts))
    if "context" in row:
        context = _columns(_loaded(row["context"]), "title", "sentences")
        metadata["context"] = [[title, list(sentences)] for title, sentences in context]
    return Task(task.question, task.answers, metadata=metadata)


def _loaded(value: Any) -> Any:
    """Some hub copies of 2WikiMultihopQA keep these columns as JSON text."""
    return json.loads(value) if isinstance(value, str) else value


def _columns(value: Any, first: str, second: str) -> list[tuple[Any, Any]]:
    """Pairs, which the hub's copy of HotpotQA keeps as two columns."""
    if isinstance(value, Mapping):
        second = second if second in value else "content"
        return list(zip(value[first], value[second], strict=True))
    return [(pair[0], pair[1]) for pair in value]


def _musique(row: Row) -> Task:
    task = _question(row)
    answers = [*task.answers, *row.get("answer_aliases", ())]
    metadata = dict(task.metadata)
    if "paragraphs" in row:
        paragraphs = row["paragraphs"]
        metadata["supporting_titles"] = list(
            dict.fromkeys(p["title"] for p in paragraphs if p["is_supporting"])
        )
        metadata["context"] = [[p["title"], [p["paragraph_text"]]] for p in paragraphs]
    if "question_decomposition" in row:
        metadata["hops"] = len(row["question_decomposition"])
    return Task(task.question, _distinct(answers), metadata=metadata)


def _fever(row: Row) -> Task:
    """A claim. The files nest evidence as lists of `[annotation, id, title, sentence]`."""
    evidence = row.get("evidence", ())
    titles = [e[2] for group in evidence for e in group if isinstance(e, list) and e[2]]
    metadata: dict[str, Any] = {"id": row["id"]}
    if evidence:
        metadata["supporting_titles"] = list(dict.fromkeys(map(_fever_title, titles)))
    return Task(row["claim"].strip(), (row["label"],), metadata=metadata)


def _fever_title(title: str) -> str:
    """FEVER writes `Soul_Food_-LRB-film-RRB-` for "Soul Food (film)"."""
    for written, meant in (("-LRB-", "("), ("-RRB-", ")"), ("-COLON-", ":"), ("_", " ")):
        title = title.replace(written, meant)
    return title


def _autocoa(row: Row) -> Task:
    """The question is the end of the prompt; aliases are in one text, or several."""
    prompt = row["prompt"][0]["content"]
    _, found, question = prompt.partition(_AUTOCOA_QUESTION)
    if not found:
        raise ValueError(f"the prompt has no {_AUTOCOA_QUESTION!r}")
    truths = row["reward_model"]["ground_truth"]
    answers = [answer.strip() for truth in truths for answer in truth.split("<ans_split>")]
    metadata = {"id": row["id"], "source_file": row["source_file"]}
    return Task(question.strip(), _distinct(answers), metadata=metadata)


def _from_file(name: str) -> Callable[[Row], bool]:
    return lambda row: bool(row["source_file"] == name)


def _distinct(answers: Any) -> tuple[str, ...]:
    texts = [answer if isinstance(answer, str) else str(answer) for answer in answers]
    return tuple(dict.fromkeys(text for text in texts if text.strip()))


def _some(row: Row, *names: str) -> dict[str, Any]:
    return {name: row[name] for name in names if row.get(name) is not None}


def _flashrag(name: str, *splits: str) -> dict[str, Any]:
    """A set of which FlashRAG's collection has a copy, in files of its own format."""
    return {
        "files": {split: f"{name}/{split}.jsonl" for split in splits},
        "hub_splits": {split: split for split in splits},
    }


QUESTION_SETS: dict[str, Dataset] = {
    # The simplified file is the one that ReAct published: the dev set in the authors' order.
    "hotpotqa": Dataset(
        files={
            "train": "hotpotqa/hotpot_train_v1.1.json",
            "dev": "hotpotqa/hotpot_dev_v1_simplified.json",
            "context_100": "hotpotqa/with_context_100.json",
        },
        hub=("hotpotqa/hotpot_qa", "distractor"),
        hub_splits={"train": "train", "dev": "validation", "context_100": None},
        read=_hotpotqa,
        grader="hotpotqa",
    ),
    "2wiki": Dataset(
        files={
            "train": "twowiki/train.json",
            "dev": "twowiki/dev.json",
            "dev_500": "twowiki/dev_500.json",
        },
        hub=(FLASHRAG, "2wikimultihopqa"),
        hub_splits={"train": "train", "dev": "dev", "dev_500": None},
        read=_hotpotqa,
        grader="hotpotqa",
    ),
    "musique": Dataset(
        files={
            "train": "musique/musique_ans_v1.0_train.jsonl",
            "dev": "musique/musique_ans_v1.0_dev.jsonl",
            "dev_500": "musique/dev_500.json",
            "context_100": "musique/with_context_100.json",
        },
        hub=(FLASHRAG, "musique"),
        hub_splits={"train": "train", "dev": "dev", "dev_500": None, "context_100": None},
        read=_musique,
        grader="text",
    ),
    "bamboogle": Dataset(
        files={"test": "bamboogle/test.json"},
        hub=(FLASHRAG, "bamboogle"),
        hub_splits={"test": "test"},
        read=_question,
        grader="text",
    ),
    "nq": Dataset(
        **_flashrag("nq", "train", "dev", "test"),
        hub=(FLASHRAG, "nq"),
        read=_question,
        grader="text",
    ),
    "triviaqa": Dataset(
        **_flashrag("triviaqa", "train", "dev", "test"),
        hub=(FLASHRAG, "triviaqa"),
        read=_question,
        grader="triviaqa",
    ),
    "popqa": Dataset(
        **_flashrag("popqa", "test"),
        hub=(FLASHRAG, "popqa"),
        read=_question,
        grader="text",
    ),
    "fever": Dataset(
        files={"train": "fever/train.jsonl", "dev": "fever/paper_dev.jsonl"},
        hub=("fever/fever", "v1.0"),
        hub_splits={"train": "train", "dev": "paper_dev"},
        hub_revision="refs/convert/parquet",  # the main branch needs a loading script
        distinct="id",
        read=_fever,
        grader="label",
    ),
    "autocoa_eval": Dataset(
        files=dict.fromkeys(("test", *AUTOCOA_SUBSETS), "autocoa_eval/test.parquet"),
        hub=None,
        hub_splits=dict.fromkeys(("test", *AUTOCOA_SUBSETS), None),
        where={name: _from_file(file) for name, file in AUTOCOA_SUBSETS.items()},
        read=_autocoa,
        grader="text",
    ),
}

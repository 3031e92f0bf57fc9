"""Sources of a task by keyword: what is none is refused when the environment is made."""

from __future__ import annotations

import pytest

from react_envs.errors import ArgumentError
from react_envs.retrieval.http import HttpRetriever
from react_envs.task_sources import retriever_of_task
from react_envs.tasks import TaskSet
from react_envs.types import Task

TASKS: TaskSet = []  # type: ignore[assignment]  # an address has no use for them
TASK = Task("?", ("!",))


@pytest.mark.parametrize("address", ["http://x:8000/other", "http://", "https://x/api/v1"])
def test_an_address_that_tells_no_protocol_is_refused_at_once(address: str) -> None:
    with pytest.raises(ArgumentError, match="expected"):
        retriever_of_task(address, TASKS)


def test_the_address_of_a_server_is_completed() -> None:
    retriever = retriever_of_task("http://127.0.0.1:8000", TASKS)(TASK)
    assert isinstance(retriever, HttpRetriever)
    assert retriever.url == "http://127.0.0.1:8000/retrieve"

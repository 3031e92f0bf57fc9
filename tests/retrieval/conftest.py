"""Servers that the tests of retrieval share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.retrieval import mediawiki_server
from tests.retrieval.fault_proxy import FaultProxy, fault_proxy


@pytest.fixture(scope="session")
def mediawiki() -> Iterator[str]:
    """Address of a real MediaWiki's api.php; fails in CI and skips elsewhere without one."""
    if reason := mediawiki_server.missing():
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI tests against a real MediaWiki: {reason}")
        pytest.skip(reason)
    with mediawiki_server.running_mediawiki() as url:
        yield url


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    """A server that plays what a test queues."""
    with fault_proxy() as running:
        yield running


@pytest.fixture
def wiki_proxy(mediawiki: str) -> Iterator[FaultProxy]:
    """The MediaWiki behind a proxy that can fail."""
    with fault_proxy(mediawiki) as running:
        yield running

"""Where the tests find published data (`REACT_ENVS_DATA` or ../shared/data) and servers of ours."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import mediawiki_server
import pytest
from fault_proxy import FaultProxy, fault_proxy

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_DATASETS_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

DATA = Path(os.environ.get("REACT_ENVS_DATA") or Path(__file__).parents[1] / "../shared/data")
if DATA.is_dir():
    os.environ["REACT_ENVS_DATA"] = str(DATA.resolve())


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of published data sets; skips where it is absent."""
    if not DATA.is_dir():
        pytest.skip(f"published data sets are not at {DATA} (set REACT_ENVS_DATA)")
    return DATA.resolve()


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

"""Where the tests find published data; `REACT_ENVS_DATA` or ../shared/data, never the network."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

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

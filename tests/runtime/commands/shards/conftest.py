"""Fixtures of the tests of shards."""

from __future__ import annotations

import pytest

from support.embedding import Embed


@pytest.fixture
def embed(capsys: pytest.CaptureFixture[str]) -> Embed:
    """``bind-embed`` with bind-tiny, in this process."""
    return Embed(capsys)

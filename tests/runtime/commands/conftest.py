"""Fixtures of the commands' tests."""

from __future__ import annotations

import pytest

from support.embedding import Embed
from support.toy_engine import toy_alone

__all__ = ["embed", "toy_alone"]


@pytest.fixture
def embed(capsys: pytest.CaptureFixture[str]) -> Embed:
    """``bind-embed`` with bind-tiny, in this process."""
    return Embed(capsys)

"""Models whose engines are those of a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

import bindrt


@pytest.fixture
def load_with(small_bundle: Path) -> Iterator[Callable[..., bindrt.Model]]:
    """Load the small bundle with engines by encoder, and options of the pipeline; closed after the test."""
    with ExitStack() as models:

        def load(
            options: bindrt.PipelineOptions = bindrt.PipelineOptions(),  # noqa: B008 - frozen
            **engines: bindrt.Engine,
        ) -> bindrt.Model:
            return models.enter_context(bindrt.load(small_bundle, pipeline=options, engines=engines))

        yield load

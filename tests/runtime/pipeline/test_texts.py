"""Texts that are submitted: tokens without Python."""

from __future__ import annotations

from pathlib import Path

import pytest

import bindrt


def test_plain_texts_are_submitted_without_python(
    small_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bindrt.load(small_bundle) as model:
        model.embed(text="a dog")  # opens the engine

        def asked(*args: object) -> None:
            raise AssertionError("asked")

        monkeypatch.setattr("bindrt.preparation.Preparation.ready_ids", asked)
        monkeypatch.setattr("bindrt.preparation.Preparation.views", asked)
        assert model.submit("text", "A dog's tail, 2 times").result(60).shape == (model.embed_dim,)
        with pytest.raises(AssertionError, match="asked"):
            model.submit("text", "café")

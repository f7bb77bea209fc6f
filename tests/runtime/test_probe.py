"""``bindrt.Probe``: labels learned from examples, kept in a file, used by ``classify``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bindrt
from support.datasets.scenes import NAMES, scenes
from tiny.world import depth_map, thermal_frame


@pytest.fixture(scope="module")
def model() -> Iterator[bindrt.Model]:
    with bindrt.load("tiny", modalities=["thermal", "depth", "text"], engine="onnxruntime") as loaded:
        yield loaded


@pytest.fixture(scope="module")
def learned(model: bindrt.Model) -> bindrt.Probe:
    pytest.importorskip("sklearn")
    drawn = list(scenes(4, 3))
    found = model.embed(thermal=[thermal_frame(scene) for scene, _ in drawn])
    return bindrt.Probe.fit(found, [NAMES[kind] for _, kind in drawn])


def test_it_tells_items_that_it_has_not_seen(model: bindrt.Model, learned: bindrt.Probe) -> None:
    drawn = list(scenes(4, 8))[12:]
    found = model.classify(probe=learned, thermal=[thermal_frame(scene) for scene, _ in drawn])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    said = [learned.labels[best] for best in found.argmax(axis=1)]
    assert np.mean([label == NAMES[kind] for label, (_, kind) in zip(said, drawn, strict=True)]) > 0.7


def test_as_scikit_learn_says(model: bindrt.Model, learned: bindrt.Probe) -> None:
    from sklearn.linear_model import LogisticRegression

    drawn = list(scenes(2, 3))
    frames = [thermal_frame(scene) for scene, _ in drawn]
    found, labels = model.embed(thermal=frames), [NAMES[kind] for _, kind in drawn]
    theirs = LogisticRegression(C=10.0, max_iter=2000).fit(found.thermal.astype(float), labels)
    ours = bindrt.Probe.fit(found, labels)
    assert ours.labels == tuple(theirs.classes_)
    np.testing.assert_allclose(ours.probabilities(found), theirs.predict_proba(found.thermal), atol=2e-3)


def test_a_file_keeps_it(model: bindrt.Model, learned: bindrt.Probe, tmp_path: Path) -> None:
    path = tmp_path / "kinds.probe"
    learned.save(path)
    again = bindrt.Probe.load(path)
    assert (again.labels, again.space, again.modalities) == (learned.labels, model.space, ("thermal",))
    np.testing.assert_array_equal(again.weights, learned.weights)
    frame = thermal_frame(next(scenes(1, 1))[0])
    np.testing.assert_array_equal(
        model.classify(probe=path, thermal=frame), model.classify(probe=learned, thermal=frame)
    )
    assert [each.name for each in tmp_path.iterdir()] == ["kinds.probe"]
    assert repr(again).startswith("Probe(4 labels: ball, bird")


def test_several_modalities_teach_it(model: bindrt.Model, learned: bindrt.Probe) -> None:
    drawn = list(scenes(2, 2))
    said = [NAMES[kind] for _, kind in drawn]
    items: Any = {"thermal": [thermal_frame(s) for s, _ in drawn], "depth": [depth_map(s) for s, _ in drawn]}
    probe = bindrt.Probe.fit(model.embed(**items), {"thermal": said, "depth": said})
    assert probe.modalities == ("depth", "thermal")
    for modality, each in items.items():
        best = model.classify(probe=probe, **{modality: each}).argmax(axis=1)  # type: ignore[arg-type]
        assert [probe.labels[at] for at in best] == said


def test_items_that_failed_teach_nothing(model: bindrt.Model, learned: bindrt.Probe) -> None:
    drawn = list(scenes(2, 2))
    frames: list[Any] = [thermal_frame(scene) for scene, _ in drawn]
    labels = [NAMES[kind] for _, kind in drawn]
    found = model.embed(thermal=[*frames, "none.png"], on_error="skip")
    probe = bindrt.Probe.fit(found, [*labels, "another"])
    expected = bindrt.Probe.fit(model.embed(thermal=frames), labels)
    assert probe.labels == expected.labels
    np.testing.assert_allclose(probe.weights, expected.weights, atol=1e-3)
    scores = model.classify(probe=probe, thermal=[*frames, "none.png"], on_error="skip")
    assert np.isnan(scores[-1]).all()


def untaught(space: str, dim: int = 96) -> bindrt.Probe:
    return bindrt.Probe(("a", "b"), np.zeros((2, dim), np.float32), np.zeros(2, np.float32), space, ("text",))


def test_what_it_refuses(model: bindrt.Model, tmp_path: Path) -> None:
    with pytest.raises(bindrt.SpaceError, match="these are of another"):
        model.classify(probe=untaught("another"), text="a")
    for arguments, message in (
        ({}, "neither labels nor a probe"),
        ({"probe": untaught(model.space), "labels": ["a"]}, "has labels of its own"),
        ({"probe": untaught(model.space), "templates": ["{}"]}, "has labels of its own"),
        ({"probe": 5}, "neither a Probe nor a path"),
        ({"probe": tmp_path / "none.probe"}, "none.probe: it cannot be read"),
    ):
        with pytest.raises(bindrt.Error, match=message):
            model.classify(text="a", **arguments)  # type: ignore[arg-type]
    with pytest.raises(bindrt.Error, match="nowhere"):
        untaught(model.space).save(tmp_path / "nowhere/a.probe")
    rows = np.eye(2, 96, dtype=np.float32)
    two = bindrt.Embeddings({"text": rows, "depth": rows[:1]}, model.space, True)
    for labels, message in (
        (["a", "b", "c"], "one list for 2 modalities"),
        ({"text": ["a", "b"]}, "labels must be a list"),
        ({"text": ["a"], "depth": ["a"]}, "1 labels for 2 items"),
        ({"text": ["a", "a"], "depth": ["a"]}, "two or more to tell apart"),
    ):
        with pytest.raises(bindrt.Error, match=message):
            bindrt.Probe.fit(two, labels)  # type: ignore[arg-type]


def test_files_that_are_no_probe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = tmp_path / "good.probe"
    untaught("space").save(good)
    content = good.read_bytes()
    bad = tmp_path / "bad.probe"
    for damaged in (b"", b"PK", content[: len(content) // 2], b"\0" * 500):
        bad.write_bytes(damaged)
        with pytest.raises(bindrt.SourceError, match="it is no probe"):
            bindrt.Probe.load(bad)
    told = {"version": 1, "labels": ["a", "b"], "space": "s", "modalities": ["text"]}
    for change in ({"version": 2}, {"labels": ["a"]}, {"labels": "ab"}, {"space": 5}, {"modalities": []}):
        write(bad, np.zeros((2, 4), np.float32), told | change)
        with pytest.raises(bindrt.SourceError, match="it is no probe"):
            bindrt.Probe.load(bad)
    write(bad, np.full((2, 4), np.nan, np.float32), told)
    with pytest.raises(bindrt.SourceError, match="not finite"):
        bindrt.Probe.load(bad)
    monkeypatch.setattr("bindrt.probe.most_unpacked", lambda size: 100)
    with pytest.raises(bindrt.SourceError, match="too much memory"):
        bindrt.Probe.load(good)


def write(path: Path, weights: np.ndarray, told: object) -> None:
    with open(path, "wb") as file:
        np.savez(file, weights=weights, bias=np.zeros(2, np.float32), told=np.array(json.dumps(told)))

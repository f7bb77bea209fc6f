"""What earlier versions wrote is read by this one, with the same meaning (docs/compatibility.md)."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import bindrt
from bindrt.bundle.manifest import SCHEMA as BUNDLE_SCHEMA
from bindrt.index import Index
from bindrt.index.storage import SCHEMA as INDEX_SCHEMA
from support.commands import run_command
from support.kept import GOLDEN, ITEMS, KEPT


@pytest.fixture(scope="module", params=KEPT, ids=lambda folder: folder.name)
def kept(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.param
    return folder


@pytest.fixture(scope="module")
def model(kept: Path) -> Iterator[bindrt.Model]:
    with bindrt.load(kept / "bundle", engine="onnxruntime", verify=True) as model:
        yield model


@pytest.mark.parametrize(
    ("file", "newest"), [("bundle/bundle.json", BUNDLE_SCHEMA), ("index/index.json", INDEX_SCHEMA)]
)
def test_each_schema_is_kept(file: str, newest: int) -> None:
    """A new schema needs a set of its own, and those before it stay."""
    schemas = {json.loads((folder / file).read_text())["schema"] for folder in KEPT}
    assert schemas == set(range(1, newest + 1))


def test_a_kept_bundle_gives_its_vectors(kept: Path, model: bindrt.Model) -> None:
    with np.load(kept / "vectors.npz") as file:
        assert model.space == str(file["space"])
        found = model.embed(**ITEMS)
        for modality, rows in found.items():
            np.testing.assert_allclose(rows, file[modality], atol=2e-4, err_msg=modality)


@pytest.mark.parametrize("name", ["index", "approximate"])
def test_a_kept_index_answers(kept: Path, model: bindrt.Model, name: str) -> None:
    index = Index.load(kept / name)
    assert index.space == model.space
    with np.load(kept / "vectors.npz") as file:
        for modality in ITEMS:
            best = index.search(file[modality], k=1)[0][0]
            assert (best.id, best.modality, best.metadata) == (modality, modality, {"from": modality})
            assert best.score == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("suffix", ["parquet", "jsonl", "npz"])
def test_a_kept_output_is_resumed(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    """The rows that are there stay as they are, and one is added."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(GOLDEN / "inputs", tmp_path / "inputs")
    output = tmp_path / f"embedded.{suffix}"
    shutil.copy(kept / output.name, output)
    files = ["inputs/image/tiny.png", "inputs/audio/short_8k.wav"]
    arguments = [str(kept / "bundle"), *files, "--text", "a dog", "--text", "a cat"]
    done = run_command("bind-embed", *arguments, "-o", output.name, "--resume")
    assert done.returncode == 0, done.stderr
    before, after = embeddings_in(kept / output.name), embeddings_in(output)
    assert list(after) == [*files, "a dog", "a cat"]
    for source, row in before.items():
        np.testing.assert_array_equal(after[source], row)


def embeddings_in(output: Path) -> dict[str, np.ndarray]:
    """The vectors of what bind-embed wrote, by source."""
    if output.suffix == ".npz":
        with np.load(output) as file:
            return dict(zip(file["source"].tolist(), file["embedding"], strict=True))
    if output.suffix == ".parquet":
        rows = pq.read_table(output).to_pylist()
    else:
        rows = [json.loads(line) for line in output.read_text().splitlines()]
    return {row["source"]: np.float32(row["embedding"]) for row in rows}

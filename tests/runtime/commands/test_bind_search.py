"""``bind-embed --index`` and ``bind-search`` as a user runs them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import bindrt
from bindrt.index import Index, combine
from support.commands import run_command
from support.golden import HERE

INPUTS = HERE / "inputs"
PHOTO, SOUND = INPUTS / "image/photo.webp", INPUTS / "audio/short_8k.wav"


@pytest.fixture(scope="module")
def index(small_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("search") / "things.index"
    done = run_command(
        "bind-embed", small_bundle, PHOTO, SOUND, "--text", "a dog", "--text", "rain", "--index", path
    )
    assert done.returncode == 0, done.stderr
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    return path


def test_index_holds_the_vectors_of_embed(index: Path, small_model: bindrt.Model) -> None:
    held = Index.load(index)
    assert (held.space, len(held)) == (small_model.space, 4)
    expected = small_model.embed(image=PHOTO, audio=SOUND, text=["a dog", "rain"])
    for name, modality, row in (
        (str(PHOTO), "image", 0),
        (str(SOUND), "audio", 0),
        ("a dog", "text", 0),
        ("rain", "text", 1),
    ):
        at = held.ids.index(name)
        assert held.modalities[at] == modality
        assert held.vectors[at] == pytest.approx(expected[modality][row], abs=2e-6)


def test_weighted_sum_of_a_picture_and_a_text(index: Path, small_model: bindrt.Model) -> None:
    weights = ("--weight", "0.5", "--weight", "-2")
    done = run_command(
        "bind-search", index, "--image", PHOTO, "--text", "rain", *weights, "--json", "-k", "3"
    )
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    query = combine(small_model.embed(image=PHOTO, text="rain"), {"image": 0.5, "text": -2.0})
    expected = Index.load(index).search(query, 3)[0]
    assert [hit["id"] for hit in found] == [hit.id for hit in expected]
    assert [hit["score"] for hit in found] == pytest.approx([hit.score for hit in expected], abs=1e-5)


def test_table_and_one_modality(index: Path) -> None:
    done = run_command("bind-search", index, "--audio", SOUND, "--only", "text")
    assert done.returncode == 0, done.stderr
    assert "a dog" in done.stdout
    assert "photo" not in done.stdout


def test_results_from_a_score_on(index: Path) -> None:
    done = run_command("bind-search", index, "--text", "a dog", "--min-score", "0.999", "--json")
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == ["a dog"]
    done = run_command("bind-search", index, "--text", "a dog", "--min-score", "2")
    assert done.returncode == 2
    assert "not a cosine similarity" in done.stderr


def test_resume_adds_to_an_index(small_bundle: Path, tmp_path: Path) -> None:
    path = tmp_path / "grows.index"
    for texts in (["--text", "a dog"], ["--text", "a dog", "--text", "rain", "--resume"]):
        done = run_command("bind-embed", small_bundle, *texts, "--index", path)
        assert done.returncode == 0, done.stderr
    assert Index.load(path).ids == ["a dog", "rain"]


def test_file_and_index_from_one_run(small_bundle: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(PHOTO.read_bytes()[:300])
    out, path = tmp_path / "out.npz", tmp_path / "both.index"
    done = run_command(
        "bind-embed", small_bundle, PHOTO, bad, "-o", out, "--index", path, "--on-error", "skip"
    )
    assert done.returncode == 0, done.stderr
    assert len(np.load(out)["embedding"]) == 2
    assert Index.load(path).ids == [str(PHOTO)]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "nothing to search for"),
        (("--text", "a", "--weight", "1", "--weight", "2"), 2, "2 weights for 1"),
        (("--text", "a", "-k", "0"), 2, "not a number of results"),
        (("--image", "none.jpg"), 1, "none.jpg"),
        (("--text", "a", "--weight", "0"), 1, "weighted sum is zero"),
        (("--text", "a", "--bundle", "none.bind"), 1, "none.bind"),
    ],
)
def test_wrong_usage(index: Path, arguments: tuple[str, ...], code: int, message: str) -> None:
    done = run_command("bind-search", index, *arguments)
    assert done.returncode == code, done.stderr
    assert message in done.stderr


def test_what_is_no_index(imu_bundle: Path, index: Path, tmp_path: Path) -> None:
    done = run_command("bind-search", tmp_path, "--text", "a")
    assert done.returncode == 1
    assert "not an index" in done.stderr
    done = run_command("bind-search", index, "--imu", INPUTS / "imu/s2.npz", "--bundle", imu_bundle)
    assert done.returncode == 1
    assert "space" in done.stderr
    done = run_command("bind-embed", imu_bundle, INPUTS / "imu/s2.npz", "--index", index, "--resume")
    assert done.returncode == 1
    assert "space" in done.stderr
    done = run_command("bind-embed", imu_bundle, INPUTS / "imu/s2.npz", "--index", tmp_path)
    assert done.returncode == 2


def test_a_search_imports_no_more_than_it_needs(index: Path) -> None:
    """pandas takes longer than all the rest of a search, where it is installed."""
    program = (
        "import sys; from bindrt.commands.search import main; code = main(sys.argv[1:]); "
        "late = {'pandas', 'asyncio', 'importlib.metadata'} & set(sys.modules); "
        "sys.exit(code or ' '.join(late) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(index), "--text", "a dog"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "rain" in done.stdout

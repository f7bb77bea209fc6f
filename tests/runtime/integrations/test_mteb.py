"""A bundle as a model of MTEB: without the package where batches are enough, with it on tasks made here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import bindrt
from bindrt.integrations.mteb import Encoder
from support.datasets.scenes import NAMES, scenes
from support.datasets.sights import write_film
from tiny.world import SOUND_RATE, Scene, caption, frames, picture, sound

Vectors = npt.NDArray[np.float32]
SCENES = [scene for scene, _ in scenes(3, 2)]
KINDS = [kind for _, kind in scenes(3, 2)]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder("tiny", weights={"audio": 2})


def heard(scene: Scene) -> dict[str, Any]:
    """A sound as ``datasets`` hands it over."""
    return {"array": sound(scene), "sampling_rate": SOUND_RATE}


def unit(rows: Vectors) -> Vectors:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def close(one: Vectors, other: Vectors) -> bool:
    return bool(np.allclose(one, other, atol=1e-5))


def test_several_modalities_are_the_weighted_sum_of_their_unit_vectors(encoder: Encoder) -> None:
    pictures, sounds = [picture(scene) for scene in SCENES], [heard(scene) for scene in SCENES]
    batches = [
        {"image": pictures[:4], "audio": sounds[:4], "label": KINDS[:4]},
        {"image": [*pictures[4:], None], "audio": [sounds[4], None, sounds[5]], "label": [0, 0, 0]},
    ]
    found = encoder.encode(batches, task_metadata=None, hf_split="test", hf_subset="default")
    seen = encoder.model.embed(image=pictures).image
    waves = [bindrt.Audio(sound(scene), rate=SOUND_RATE) for scene in SCENES]
    sounded = encoder.model.embed(audio=waves).audio
    wanted = [*unit(seen[:5] + 2 * sounded[:5]), seen[5], sounded[5]]
    assert close(found, np.array(wanted))
    assert close(encoder.similarity(found, 3 * found), found @ found.T)
    assert close(encoder.similarity_pairwise(found, 3 * found[::-1]), (found * found[::-1]).sum(1))


def test_every_modality_of_the_bundle_is_embedded(encoder: Encoder) -> None:
    depth = np.full((48, 64), 1.5, np.float32)
    motion = np.zeros((6, 1000), np.float32)
    motion[2] = 9.8
    items: dict[str, list[object]] = {
        "text": [caption(SCENES[0], 0)],
        "depth": [bindrt.Depth(depth, unit="m")],
        "imu": [bindrt.Imu(motion, rate=200)],
    }
    for modality, values in items.items():
        wanted = encoder.model.embed(**{modality: values})[modality]  # type: ignore[arg-type]
        assert close(encoder.encode([{modality: values}]), wanted)


def test_a_decoder_of_a_video_gives_its_frames(encoder: Encoder) -> None:
    shots = np.asarray(frames(SCENES[0]))

    class Decoder:
        """As torchcodec's, with arrays in place of tensors."""

        metadata = SimpleNamespace(average_fps=10)

        def __len__(self) -> int:
            return len(shots)

        def get_frames_in_range(self, start: int, stop: int) -> SimpleNamespace:
            return SimpleNamespace(data=shots[start:stop].transpose(0, 3, 1, 2))

    wanted = encoder.model.embed(video=[bindrt.Video(shots, fps=10)]).video
    assert close(encoder.encode([{"video": [Decoder()]}]), wanted)


@pytest.mark.parametrize(
    ("batches", "said"),
    [
        ([{"text": ["a bell"]}, {"text": ["a bell", None]}], "row 1 of a batch: it has no value"),
        ([{"smell": ["a rose"]}], "it has no modality of the bundle; it has smell"),
        ([{"image": ["none.jpg"]}], "there is no such file"),
    ],
)
def test_what_cannot_be_embedded_is_told(encoder: Encoder, batches: list[Any], said: str) -> None:
    with pytest.raises(bindrt.Error, match=said):
        encoder.encode(batches)


@pytest.mark.parametrize("weights", [{"smell": 1.0}, {"audio": 0.0}, {"audio": float("nan")}])
def test_weights_are_positive_and_of_modalities(weights: dict[str, float]) -> None:
    with pytest.raises(bindrt.OptionError, match="weights"):
        Encoder("tiny", weights=weights)


def test_without_mteb_the_remedy_is_told(encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mteb", None)
    monkeypatch.delitem(sys.modules, "mteb.models.model_meta", raising=False)
    with pytest.raises(bindrt.Error, match="mteb: it is not installed; pip install"):
        _ = encoder.mteb_model_meta


@pytest.mark.deep
def test_torch_is_not_imported() -> None:
    program = (
        "import sys; from bindrt.integrations.mteb import Encoder; "
        "Encoder('tiny').encode([{'text': ['a bell']}]); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.fixture
def mteb() -> Any:
    return pytest.importorskip("mteb", reason="mteb is not installed (extra mteb)")


def metadata(name: str, kind: str, category: str, modalities: list[str], score: str) -> Any:
    from mteb.abstasks.task_metadata import TaskMetadata

    return TaskMetadata(
        name=name, type=kind, category=category, modalities=modalities, main_score=score,
        description="Scenes of a small world.", reference=None,
        dataset={"path": "none/here", "revision": "1"}, eval_splits=["test"], eval_langs=["eng-Latn"],
        date=("2026-01-01", "2026-01-02"), domains=[], task_subtypes=[], license="cc0-1.0",
        annotations_creators="derived", dialect=[], sample_creation="created", bibtex_citation="",
    )  # fmt: skip


@pytest.mark.deep
def test_a_zero_shot_task_of_sounds(mteb: Any, encoder: Encoder) -> None:
    import datasets
    from mteb.abstasks.zeroshot_classification import AbsTaskZeroShotClassification

    names = list(NAMES[:3])

    class Sounds(AbsTaskZeroShotClassification):
        input_column_name, label_column_name = "audio", "label"

        def get_candidate_labels(self) -> list[str]:
            return names

        def load_data(self, num_proc: int | None = None, **more: Any) -> None:
            rows = {"audio": [heard(scene) for scene in SCENES], "label": KINDS}
            self.dataset = datasets.DatasetDict({"test": datasets.Dataset.from_dict(rows)})
            self.data_loaded = True

    Sounds.metadata = metadata(
        "TinySounds", "AudioZeroshotClassification", "a2t", ["audio", "text"], "accuracy"
    )
    found = mteb.evaluate(encoder, Sounds(), cache=None, show_progress_bar=False)
    sounds = encoder.model.embed(audio=[bindrt.Audio(sound(s), rate=SOUND_RATE) for s in SCENES]).audio
    nearest = (sounds @ encoder.model.embed(text=names).text.T).argmax(1)
    assert found.task_results[0].get_score() == pytest.approx((nearest == KINDS).mean(), abs=1e-5)


@pytest.mark.deep
def test_a_task_whose_items_are_seen_and_heard(mteb: Any, encoder: Encoder, tmp_path: Path) -> None:
    import datasets
    from mteb.abstasks.retrieval import AbsTaskRetrieval
    from mteb.abstasks.retrieval_dataset_loaders import RetrievalSplitData

    said = [caption(scene, 0) for scene in SCENES]
    films = [str(write_film(tmp_path / f"{n}.mp4", scene, False)) for n, scene in enumerate(SCENES)]

    class Found(AbsTaskRetrieval):
        def load_data(self, num_proc: int | None = None, **more: Any) -> None:
            numbers = range(len(SCENES))
            corpus = {
                "id": [f"d{n}" for n in numbers],
                "video": films,
                "audio": [heard(scene) for scene in SCENES],
            }
            queries = datasets.Dataset.from_dict({"id": [f"q{n}" for n in numbers], "text": said})
            relevant = {f"q{n}": {f"d{n}": 1} for n in numbers}
            split = RetrievalSplitData(
                queries=queries,
                corpus=datasets.Dataset.from_dict(corpus),
                relevant_docs=relevant,
                top_ranked=None,
            )
            self.dataset = {"default": {"test": split}}
            self.data_loaded = True

    Found.metadata = metadata(
        "TinyScenes", "Any2AnyRetrieval", "t2va", ["text", "video", "audio"], "hit_rate_at_1"
    )
    found = mteb.evaluate(encoder, Found(), cache=None, show_progress_bar=False)
    items = encoder.encode([{"video": films, "audio": [heard(scene) for scene in SCENES]}])
    nearest = (encoder.model.embed(text=said).text @ items.T).argmax(1)
    assert found.task_results[0].get_score() == pytest.approx(
        (nearest == np.arange(len(SCENES))).mean(), abs=1e-5
    )

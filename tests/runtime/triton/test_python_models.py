"""The Python models of a repository, in a stand-in for the process of Triton's Python backend."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import bindrt
from bindrt.bundle import SHIPPED
from bindrt.triton.answering import Answering
from bindrt_export.triton import RepositoryRequest, write_repository
from support.embedding import DEPTH, FILM, IMU, PHOTO, SOUND, THERMAL
from support.triton_backend import InferenceResponse, Request, backend, execute, files, loaded

FILES = {"image": PHOTO, "video": FILM, "audio": SOUND, "depth": DEPTH, "thermal": THERMAL, "imu": IMU}
CONTENTS = {**{modality: path.read_bytes() for modality, path in FILES.items()}, "text": b"a bell ringing"}


@pytest.fixture(scope="module")
def model() -> Iterator[bindrt.Model]:
    with bindrt.load("tiny") as model:
        yield model


@pytest.fixture(scope="module", autouse=True)
def utils() -> Iterator[None]:
    with backend():
        yield


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of one Python model a modality."""
    folder = tmp_path_factory.mktemp("triton") / "models"
    write_repository(SHIPPED["tiny"], RepositoryRequest(folder))
    return folder


@pytest.fixture(scope="module")
def ensembles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of ensembles."""
    folder = tmp_path_factory.mktemp("triton") / "ensembles"
    write_repository(SHIPPED["tiny"], RepositoryRequest(folder, "ensemble", "python"))
    return folder


@pytest.fixture(scope="module")
def many_processes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ensembles whose items are prepared by more processes than there are cores: each has one thread."""
    folder = tmp_path_factory.mktemp("triton") / "many"
    write_repository(SHIPPED["tiny"], RepositoryRequest(folder, "ensemble", "python", 256))
    return folder


def item(modality: str) -> object:
    return "a bell ringing" if modality == "text" else FILES[modality]


@pytest.mark.parametrize("modality", CONTENTS)
def test_a_file_has_the_vector_that_embed_gives(modality: str, models: Path, model: bindrt.Model) -> None:
    with loaded(models, modality) as served:
        (response,) = execute(served, files(CONTENTS[modality], CONTENTS[modality]))
    expected = model.embed(**{modality: [item(modality)] * 2})[modality]
    assert response.error is None
    np.testing.assert_allclose(response.outputs["embedding"], expected, atol=1e-5)


def test_ready_input(models: Path, model: bindrt.Model) -> None:
    views = bindrt.preprocess.audio(SOUND)
    with loaded(models, "audio") as served:
        (response,) = execute(served, Request({"tensor": np.stack([views, views])}))
    expected = model.embed(audio=[SOUND, SOUND]).audio
    np.testing.assert_allclose(response.outputs["embedding"], expected, atol=1e-5)


def test_options_are_parameters(models: Path, model: bindrt.Model) -> None:
    with loaded(models, "depth") as served:
        scaled, metres, wrong = execute(
            served,
            files(CONTENTS["depth"], normalize=False),
            files(CONTENTS["depth"], unit="m"),
            files(CONTENTS["depth"], colour="red"),
        )
    expected = model.embed(depth=DEPTH, normalize=False).depth
    np.testing.assert_allclose(scaled.outputs["embedding"], expected, rtol=1e-4, atol=1e-4)
    expected = model.embed(depth=bindrt.Depth(DEPTH, unit="m")).depth
    np.testing.assert_allclose(metres.outputs["embedding"], expected, atol=1e-5)
    assert wrong.error.code == "INVALID_ARG"
    assert "parameter 'colour': depth has none here; it has normalize, unit" in wrong.error.message


def test_a_bad_item_fails_its_own_request_alone(models: Path, model: bindrt.Model) -> None:
    good, bad = CONTENTS["image"], CONTENTS["image"][:100]
    with loaded(models, "image") as served:
        first, second, third, gone, neither = execute(
            served,
            files(good),
            files(good, bad, good),
            files(good),
            Request(files(good).inputs, is_cancelled=True),
            Request({}),
        )
    expected = model.embed(image=PHOTO).image
    for response in (first, third):
        np.testing.assert_allclose(response.outputs["embedding"], expected, atol=1e-5)
    assert second.error.code == "INVALID_ARG"
    assert second.error.message.startswith("image[1] <bytes, 100 B>: ")
    assert gone.error.code == "CANCELLED"
    assert neither.error.message.startswith("image: neither of data and tensor given; ")


def test_a_requests_timeout_is_the_deadline_of_its_items(models: Path) -> None:
    inputs = files(CONTENTS["image"]).inputs
    with loaded(models, "image") as served:
        late, early, none = execute(
            served, Request(inputs, timeout=1), Request(inputs, timeout=2**62), Request(inputs)
        )
    assert late.error.code == "UNAVAILABLE"
    assert "deadline" in late.error.message
    assert early.error is None
    assert none.error is None


@pytest.mark.parametrize("bad", [b"\xff\xfe", b"\x80" * 10])
def test_a_text_that_is_not_utf8(bad: bytes, models: Path) -> None:
    with loaded(models, "text") as served:
        (response,) = execute(served, files(b"a bell", bad))
    assert response.error.message.startswith("text[1]: not UTF-8")


def through_ensemble(
    folder: Path, modality: str, encoder: str, *requests: Request
) -> list[InferenceResponse]:
    """What the steps of an ensemble answer, with the rows of all requests in one batch."""
    with loaded(folder, f"{modality}_prepare") as prepare:
        prepared = execute(prepare, *requests)
    fine = [response for response in prepared if response.error is None]
    with loaded(folder, encoder) as engine:
        rows = execute(engine, *(Request({"input": response.outputs["views"]}) for response in fine))
    with loaded(folder, "pool") as pool:
        both = [{**of.outputs, **row.outputs} for of, row in zip(fine, rows, strict=True)]
        pooled = execute(pool, *map(Request, both))
    answers = iter(pooled)
    return [response if response.error is not None else next(answers) for response in prepared]


@pytest.mark.parametrize(
    ("modality", "encoder"),
    [
        ("image", "vision_encoder"),
        ("video", "vision_encoder"),
        ("audio", "audio_encoder"),
        ("imu", "imu_encoder"),
    ],
)
@pytest.mark.parametrize("processes", ["ensembles", "many_processes"])
def test_an_ensemble_gives_the_same_vectors(
    modality: str, encoder: str, processes: str, model: bindrt.Model, request: pytest.FixtureRequest
) -> None:
    one, bad, two = through_ensemble(
        request.getfixturevalue(processes),
        modality,
        encoder,
        files(CONTENTS[modality]),
        files(CONTENTS[modality], b"nothing"),
        files(CONTENTS[modality], CONTENTS[modality]),
    )
    expected = model.embed(**{modality: item(modality)})[modality]
    np.testing.assert_allclose(one.outputs["pooled"], expected, atol=1e-5)
    np.testing.assert_allclose(two.outputs["pooled"], np.repeat(expected, 2, axis=0), atol=1e-5)
    assert bad.error.message.startswith(f"{modality}[1] <bytes, 7 B>: ")


@pytest.mark.parametrize(("folder", "name"), [("many_processes", "imu"), ("ensembles", "text")])
def test_short_work_is_done_in_the_servers_call(
    folder: str, name: str, request: pytest.FixtureRequest
) -> None:
    with loaded(request.getfixturevalue(folder), f"{name}_prepare") as prepare:
        (response,) = prepare.execute([files(CONTENTS[name])])  # no answer that follows
    assert response.outputs["counts"].tolist() == [1]


def test_texts_of_an_ensemble_are_as_long_as_they_must_be(ensembles: Path, model: bindrt.Model) -> None:
    texts = ["a bell", "a long text about a bell that rings and rings, and about a car that passes by"]
    with loaded(ensembles, "text_prepare") as prepare:
        short, long = execute(prepare, *(files(text.encode()) for text in texts))
    assert short.outputs["views"].shape == (1, 8)
    assert long.outputs["views"].shape == (1, 24)
    found = through_ensemble(ensembles, "text", "text_encoder", files(*(text.encode() for text in texts)))
    np.testing.assert_allclose(found[0].outputs["pooled"], model.embed(text=texts).text, atol=1e-5)


def test_views_for_a_plan_that_reads_float16(ensembles: Path, tmp_path: Path) -> None:
    with loaded(ensembles, "imu_prepare") as prepare:
        (wide,) = execute(prepare, files(CONTENTS["imu"]))
    shutil.copytree(ensembles / "imu_prepare", tmp_path / "imu_prepare")
    config = tmp_path / "imu_prepare" / "config.pbtxt"
    config.write_text(config.read_text("utf-8").replace("TYPE_FP32", "TYPE_FP16", 1), "utf-8")
    with loaded(tmp_path, "imu_prepare") as prepare:
        (half,) = execute(prepare, files(CONTENTS["imu"]))
    assert half.outputs["views"].dtype == np.float16
    np.testing.assert_array_equal(half.outputs["views"], wide.outputs["views"].astype(np.float16))


@pytest.mark.parametrize("modality", ["image", "text"])
def test_more_views_than_an_encoder_takes_at_once(modality: str, ensembles: Path) -> None:
    with loaded(ensembles, f"{modality}_prepare") as prepare:
        (response,) = execute(prepare, files(*[CONTENTS[modality]] * 65))
    assert response.error.message.endswith("send fewer in a request")


@pytest.mark.parametrize("modality", ["image", "text"])
def test_no_items(modality: str, ensembles: Path) -> None:
    with loaded(ensembles, f"{modality}_prepare") as prepare:
        (response,) = execute(prepare, files())
    assert (response.error.code, response.error.message) == (
        "INVALID_ARG",
        f"{modality}: no items; give at least one file or text as data",
    )


def test_one_text_that_is_not_ascii_among_others(ensembles: Path, model: bindrt.Model) -> None:
    texts = ["a bell", "eine Glocke läutet über der Straße", "a caf\u00e9"]
    (found,) = through_ensemble(ensembles, "text", "text_encoder", files(*(text.encode() for text in texts)))
    np.testing.assert_allclose(found.outputs["pooled"], model.embed(text=texts).text, atol=1e-5)


def test_the_server_is_not_asked_whether_a_texts_client_is_gone(models: Path, ensembles: Path) -> None:
    class Asked(Request):
        def is_cancelled(self) -> bool:
            raise AssertionError("a call to the server takes longer than a text")

    for folder, name in ((models, "text"), (ensembles, "text_prepare")):
        with loaded(folder, name) as served:
            (response,) = execute(served, Asked(files(b"a bell").inputs))
        assert response.error is None


def test_whatever_goes_wrong_is_answered() -> None:
    def answer(work: str) -> InferenceResponse:
        raise ValueError(work)

    requests = [Request({}), Request({})]
    answering = Answering(lambda request: "work", answer, 1)
    for request in requests:  # the second has room once the first is answered
        answering.take([request])
    answering.close()
    errors = [request.sender.answer.result(0).error for request in requests]
    assert [(error.code, error.message) for error in errors] == [("INTERNAL", "ValueError in bindrt")] * 2


def test_a_setting_that_is_none_names_its_model(models: Path, tmp_path: Path) -> None:
    config = (models / "imu" / "config.pbtxt").read_text()
    folder = tmp_path / "imu"
    (folder / "1").mkdir(parents=True)
    (folder / "1" / "model.py").write_text((models / "imu" / "1" / "model.py").read_text())
    (folder / "config.pbtxt").write_text(config.replace('"imu"', '"touch"'))
    with pytest.raises(bindrt.OptionError, match="modality 'touch': there is none"), loaded(tmp_path, "imu"):
        pass

"""A modality of one's own is one declaration and one line of the export: exported, loaded, embedded."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

import bindrt
from bindrt import InputError, preprocess
from bindrt.limits import Limits
from bindrt.modalities import MODALITIES, Modality, Views
from bindrt.modalities.modality import one_view
from bindrt.modalities.steps.output_rows import Reserve, rows_for
from bindrt_export.checkpoints.huge import ENCODERS, HugeEncoder
from support.bundles import TINY_CONFIG, export


@dataclass(frozen=True, eq=False)
class Radar:
    """Echoes of a radar."""

    echoes: npt.NDArray[np.float32]
    gain: float = 1.0


def prepare(item: Radar, limits: Limits, reserve: Reserve | None = None) -> Views:
    if item.echoes.shape != (64, 64):
        raise InputError("the echoes", f"the shape is {list(item.echoes.shape)}", "echoes are [64, 64]")
    rows = rows_for(reserve, 1, (1, 64, 64))
    rows[0, 0] = item.echoes * item.gain
    return one_view(rows[0], {"gain": item.gain})


RADAR = Modality(
    name="radar",
    encoder="radar",
    view=(1, 64, 64),
    prepare=prepare,
    description={"side": 64},
    wrapper=Radar,
    bare_array=("bare echoes have no gain", "pass Radar(echoes, gain=...)"),
)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(MODALITIES, "radar", RADAR)
        numbers = HugeEncoder(16, 1, 2, (16, 16), (16, 16), stem="radar_stem.proj.weight", scale=3.0)
        patch.setitem(ENCODERS, "radar", numbers)
        yield export("random:0", tmp_path_factory.mktemp("radar") / "a.bind", TINY_CONFIG, ["radar", "imu"])


def echoes(seed: int) -> npt.NDArray[np.float32]:
    return np.random.default_rng(seed).random((64, 64), np.float32)


def test_it_is_embedded_by_every_call(bundle: Path) -> None:
    items = [Radar(echoes(i), gain=2.0) for i in range(3)]
    with bindrt.load(bundle) as model:
        assert model.modalities == ("imu", "radar")
        embedded = model.embed(radar=items)
        assert embedded["radar"].shape == (3, model.embed_dim)
        assert embedded.notes["radar", 0] == {"gain": 2.0}
        assert math.isclose(float(np.linalg.norm(model.embed(radar=items, normalize=False)["radar"][0])), 3.0,
                            rel_tol=1e-5)  # fmt: skip
        submitted = [model.submit("radar", item).result() for item in items]
        np.testing.assert_allclose(np.stack(submitted), embedded["radar"], atol=2e-6)
        streamed = [result.vector for result in model.stream("radar", items)]
        np.testing.assert_allclose(np.stack(streamed), embedded["radar"], atol=2e-6)
        ready = bindrt.Prepared(preprocess.prepare("radar", items[0]).array)
        np.testing.assert_allclose(model.embed(radar=ready)["radar"][0], embedded["radar"][0], atol=2e-6)


def test_its_errors_are_those_of_any_modality(bundle: Path) -> None:
    with bindrt.load(bundle) as model:
        with pytest.raises(InputError, match=r"radar\[0\] the echoes: the shape is \[64, 63\]"):
            model.embed(radar=[Radar(echoes(0)[:, 1:])])
        with pytest.raises(InputError, match="bare echoes have no gain"):
            model.embed(radar=[echoes(0)])
        with pytest.raises(InputError, match="an item of radar, not of imu"):
            model.embed(imu=Radar(echoes(0)))
        found = model.embed(radar=[Radar(echoes(0)), Radar(echoes(0)[1:])], on_error="skip")
        assert list(found.errors) == [("radar", 1)]


@pytest.mark.usefixtures("bundle")  # while it is declared
def test_bundles_without_it_are_what_they_were() -> None:
    before = "imagebind-96-float-b9ba74d493d37630"
    with bindrt.load("tiny") as model:
        assert model.space == before
        with pytest.raises(InputError, match="not loaded with it"):
            model.embed(radar=Radar(echoes(0)))


def test_signatures_name_every_original_modality() -> None:
    """A modality is a keyword of embed, and has a function in preprocess of its name."""
    originals = [name for name, modality in MODALITIES.items() if modality.original]
    assert list(inspect.signature(bindrt.Model.embed).parameters)[1 : 1 + len(originals)] == originals
    for name in originals:
        function = getattr(preprocess, name)
        wrapper = MODALITIES[name].wrapper
        assert wrapper is None or getattr(bindrt, wrapper.__name__) is wrapper
        options = [p for p in inspect.signature(function).parameters if p not in ("limits", "texts")]
        if wrapper is not None:
            fields = list(inspect.signature(wrapper).parameters)
            assert [p for p in options if p not in fields] == [], name

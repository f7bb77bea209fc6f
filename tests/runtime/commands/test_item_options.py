"""Each field of a wrapper is an option of the commands."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import pytest

import bindrt
from bindrt import limits
from bindrt.commands.search import main as search
from bindrt.item_options import as_item, item_options
from bindrt.items import ARRAYS_ONLY
from bindrt.modalities import MODALITIES
from bindrt.option_texts import reader_of
from support.embedding import DEPTH, IMU, PHOTO, SOUND, THERMAL, Embed, near


@pytest.mark.parametrize("modality", [m for m in MODALITIES if MODALITIES[m].wrapper])
def test_every_field_is_an_option(modality: str) -> None:
    """A field whose type no text can have fails here: teach option_texts to read it."""
    wrapper = MODALITIES[modality].wrapper
    assert wrapper is not None
    wanted = {f.name for f in fields(wrapper)[1:] if not f.metadata.get(ARRAYS_ONLY)}
    assert wanted == {name for name, option in item_options().items() if modality in option.readers}


@pytest.mark.parametrize(
    ("hint", "text", "value"),
    [
        (int, "15", 15), (int, "1.5", None), (float | None, "-2.5", -2.5), (float, "nan", None),
        (bool, "yes", True),
        (str, "a", "a"), (tuple[float, float], "1, 99", (1, 99)), (tuple[float, float], "1", None),
        (list[int], "1,2,3", (1, 2, 3)),
    ],
)  # fmt: skip
def test_values_by_type(hint: Any, text: str, value: object) -> None:
    assert reader_of(hint).read(text) == value


def test_a_type_that_no_text_has() -> None:
    with pytest.raises(TypeError):
        reader_of(dict[str, int])


@pytest.mark.parametrize(
    ("path", "modality", "options", "item"),
    [
        (THERMAL, "thermal", ("--low", "10", "--high", "200"), bindrt.Thermal(THERMAL, low=10, high=200)),
        (THERMAL, "thermal", ("--percentiles", "1,99"), bindrt.Thermal(THERMAL, percentiles=(1, 99))),
        (
            DEPTH, "depth", ("--unit", "mm", "--focal", "300", "--baseline", "0.1", "--model-scale", "4"),
            bindrt.Depth(DEPTH, unit="mm", focal=300, baseline=0.1, model_scale=4),
        ),
        (
            IMU, "imu", ("--accel-unit", "g", "--rate", "200", "--min-seconds", "2"),
            bindrt.Imu(IMU, accel_unit="g", rate=200, min_seconds=2),
        ),
    ],
)  # fmt: skip
def test_options_reach_the_item(
    embed: Embed, path: Path, modality: str, options: tuple[str, ...], item: object
) -> None:
    done = embed(path, "--modality", modality, *options)
    assert done.code == 0, done.err
    expected = bindrt.load("tiny").embed(**{modality: item})[modality][0]  # type: ignore[arg-type]
    assert near(done.rows[0], expected)


def test_an_option_holds_for_the_modalities_that_have_it(embed: Embed) -> None:
    done = embed(PHOTO, SOUND, "--exif", "--grey16", "full")
    assert [row["modality"] for row in done.rows] == ["image", "audio"]
    assert as_item("audio", "a.wav", {"exif": "true"}) == "a.wav"
    assert as_item("image", "a.png", {"exif": "true"}).exif is True


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--unit", "inch", "--modality", "depth"), "--unit inch: unit is 'inch'; it is one of m, mm"),
        (("--low", "cold", "--modality", "thermal"), "it is a number"),
        (("--percentiles", "1", "--modality", "thermal"), "it is 2 values, commas between them"),
        (("--low", "1"), "--low: only thermal files have it; add --modality thermal"),
        (("--grey16", "full", "--modality", "audio"), "--grey16: only image files have it"),
        (("--max-pixels", "0"), "not a limit"),
        (("--limits", "max_pixls=1"), "no limit 'max_pixls'"),
        (("--limits", "max_pixels=many"), "'many' is not a number"),
    ],
)
def test_wrong_values_are_refused_before_any_work(
    embed: Embed, arguments: tuple[str, ...], message: str
) -> None:
    done = embed(PHOTO, *arguments)
    assert done.code == 2
    assert message in done.err


@pytest.mark.parametrize("field", [f.name for f in fields(limits.Limits)])
def test_every_limit_is_an_option(embed: Embed, field: str) -> None:
    assert embed(PHOTO, "--" + field.replace("_", "-"), "2000000000").code == 0
    assert embed(PHOTO, "--limits", f"{field}=2e9").code == 0


def test_a_limit_is_kept(embed: Embed) -> None:
    for arguments in (("--max-pixels", "100"), ("--limits", "max_seconds=9,max_pixels=100")):
        done = embed(PHOTO, *arguments)
        assert done.code == 1
        assert "limit" in done.err


def test_a_new_field_is_an_option_without_more_code(monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass(frozen=True)
    class Image(bindrt.Image):
        tint: float | None = None

    item_options.cache_clear()
    with monkeypatch.context() as patch:
        patch.setitem(MODALITIES, "image", replace(MODALITIES["image"], wrapper=Image))
        assert item_options()["tint"].flag == "--tint"
        assert as_item("image", "a", {"tint": "0.5"}).tint == 0.5
    item_options.cache_clear()


def test_search_has_the_options(embed: Embed, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    index = tmp_path / "all.index"
    options = ("--low", "10", "--high", "200")
    assert embed(THERMAL, "--modality", "thermal", *options, "--index", index).code == 0
    assert search([str(index), "--thermal", str(THERMAL), *options, "--json"]) == 0
    same = capsys.readouterr().out
    assert search([str(index), "--thermal", str(THERMAL), "--low", "0", "--high", "90", "--json"]) == 0
    other = capsys.readouterr().out
    scores = [float(line.split('"score": ')[1].split(",")[0]) for line in (same, other)]
    assert scores[0] == pytest.approx(1, abs=1e-4)
    assert scores[1] < 0.999
    assert search([str(index), "--text", "a", "--low", "1"]) == 2
    assert "--low: only thermal" in capsys.readouterr().err


def test_search_keeps_limits(embed: Embed, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    index = tmp_path / "all.index"
    assert embed(PHOTO, "--index", index).code == 0
    assert search([str(index), "--image", str(PHOTO), "--max-pixels", "100"]) == 1
    assert "limit" in capsys.readouterr().err

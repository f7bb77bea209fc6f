"""Radiometric JPEG files: the sensor's counts become degrees Celsius."""

from __future__ import annotations

import numpy as np
import pytest

from bindrt import LimitError, Limits, SourceError, Thermal, preprocess
from support.flir import PLANCK, camera_record, celsius_of, counts_of, radiometric_jpeg, raw_record
from support.media import picture_bytes

SCENE = np.add.outer(np.linspace(-10, 90, 120), np.linspace(0, 30, 160))
COUNTS = counts_of(SCENE)
RANGE = {"low": -20.0, "high": 130.0}


@pytest.mark.parametrize("png", ["", "right", "wrong"])
@pytest.mark.parametrize("order", "<>")
def test_counts_become_celsius(order: str, png: str) -> None:
    data = radiometric_jpeg({0x20: camera_record(order), 1: raw_record(COUNTS, order, png)}, order)
    want = preprocess.thermal(celsius_of(COUNTS), **RANGE)
    prepared = preprocess.prepare("thermal", Thermal(data, **RANGE))
    np.testing.assert_allclose(prepared.array, want, atol=1e-5)
    np.testing.assert_allclose(prepared.array, preprocess.thermal(SCENE, **RANGE), atol=1e-3)
    assert prepared.notes == {**RANGE, "unit": "celsius"}


def test_an_object_reflects_what_is_around_it() -> None:
    warm = counts_of(np.linspace(40, 90, 64).reshape(8, 8))
    record = camera_record(">", emissivity=0.8, reflected=293.15, air=300.0, humidity=0.5, distance=4.0)
    data = radiometric_jpeg({0x20: record, 1: raw_record(warm, ">")})
    offset = PLANCK[4]
    around = float(counts_of(np.array(20.0))) + offset
    own = (warm + offset - 0.2 * around) / 0.8 - offset
    want = preprocess.thermal(celsius_of(own), **RANGE)
    np.testing.assert_allclose(preprocess.thermal(data, **RANGE), want, atol=1e-4)


def test_air_that_takes_radiation_makes_the_object_warmer() -> None:
    numbers = {"distance": 50.0, "air": 283.15, "humidity": 0.6, "alpha1": 0.006569, "alpha2": 0.01262}
    numbers |= {"beta1": -0.002276, "beta2": -0.00667, "x": 1.9}
    hot = counts_of(np.full((8, 8), 100.0))
    plain, far = (
        preprocess.thermal(
            radiometric_jpeg({0x20: camera_record(">", **n), 1: raw_record(hot, ">")}), **RANGE
        )
        for n in ({}, numbers)
    )
    assert (far > plain + 0.01).all()


def test_the_range_is_needed_and_the_unit_known() -> None:
    data = radiometric_jpeg({0x20: camera_record(">"), 1: raw_record(COUNTS, ">")})
    with pytest.raises(ValueError, match="need a range"):
        preprocess.thermal(data)
    with pytest.raises(ValueError, match="the file itself says"):
        preprocess.thermal(data, **RANGE, unit="centikelvin")
    assert preprocess.image(data).shape == (3, 224, 224)


def test_a_jpeg_without_a_raw_image_is_a_picture() -> None:
    grey = np.linspace(0, 255, 48 * 64).astype(np.uint8).reshape(48, 64)
    plain = picture_bytes("JPEG", grey)
    data = radiometric_jpeg({0x20: camera_record(">")})
    with pytest.raises(SourceError, match="colours"):
        preprocess.thermal(data)
    assert preprocess.thermal(plain).shape == (1, 224, 224)


def test_damage() -> None:
    camera, raw = camera_record(">"), raw_record(COUNTS, ">")
    faults = {
        "truncated": {0x20: camera, 1: raw[:2000]},
        "record of the camera is truncated": {0x20: camera[:500], 1: raw},
        "record of FLIR's data is damaged": {1: raw},
        "Planck constants": {0x20: camera[:0x58] + bytes(8) + camera[0x60:], 1: raw},
        "0 x 120": {0x20: camera, 1: raw[:2] + bytes(2) + raw[4:]},
    }
    for text, records in faults.items():
        with pytest.raises(SourceError, match=text):
            preprocess.thermal(radiometric_jpeg(records), **RANGE)
    whole = radiometric_jpeg({0x20: camera, 1: raw})
    with pytest.raises(SourceError):
        preprocess.thermal(whole[:5000], **RANGE)
    with pytest.raises(LimitError, match="160 x 120"):
        preprocess.thermal(whole, **RANGE, limits=Limits(max_pixels=10_000))

"""``.npy`` and ``.npz`` files, right, damaged and hostile."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
from typing import Any

import numpy as np
import pytest

from bindrt import LimitError, Limits, SourceError, preprocess
from bindrt.sources import open_source
from bindrt.sources.numpyfile import npz_fields, read_array, read_fields


def npy(array: np.ndarray, **options: Any) -> bytes:
    out = io.BytesIO()
    np.save(out, array, **options)
    return out.getvalue()


def npz(**fields: Any) -> bytes:
    out = io.BytesIO()
    np.savez_compressed(out, **fields)
    return out.getvalue()


def header(text: str, data: bytes = b"") -> bytes:
    raw = text.encode("latin-1")
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(raw)) + raw + data


def read(data: bytes, field: str = "depth", limits: Limits | None = None) -> np.ndarray:
    return read_array(open_source(data), field, limits or Limits())


@pytest.mark.parametrize("dtype", ["u1", "<u2", ">u2", "<i4", "<f4", ">f8", "<f2", "?"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_what_numpy_wrote(dtype: str, order: Any) -> None:
    array = np.asarray(np.arange(24).reshape(2, 3, 4) % 7, dtype=dtype, order=order)
    out = read(npy(array))
    np.testing.assert_array_equal(out, array)
    assert out.dtype == array.dtype
    assert not out.flags.writeable
    np.testing.assert_array_equal(read(npz(depth=array, other=array + array)), array)


def test_fields() -> None:
    data = npz(samples=np.zeros((6, 3)), rate=200.0)
    assert set(npz_fields(open_source(data))) == {"samples", "rate"}
    assert npz_fields(open_source(npy(np.zeros(3)))) == ()
    found = read_fields(open_source(data), ("rate", "t"))
    assert list(found) == ["rate"]
    assert found["rate"].shape == ()
    with pytest.raises(SourceError, match="no array 'depth'; it has 'samples'"):
        read(data)


def test_objects_are_refused() -> None:
    for array in (np.array([{}], object), np.array(["text"]), np.zeros(3, [("a", "f4")]), np.zeros(3, "c16")):
        with pytest.raises(SourceError):
            read(npy(array, allow_pickle=True))


@pytest.mark.parametrize(
    "data",
    [
        b"\x93NUMPY",
        b"\x93NUMPY\x01\x00\xff\xff",
        b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + bytes(100),
        header("not a literal("),
        header("[" * 5000),
        header("{}"),
        header("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}"),
        header("{'descr': '<f4', 'fortran_order': False, 'shape': (1.5,)}"),
        header("{'descr': '<f4', 'fortran_order': False, 'shape': 7}"),
        header("{'descr': 'O', 'fortran_order': False, 'shape': (1,)}", bytes(8)),
        header("{'descr': 'nonsense', 'fortran_order': False, 'shape': (1,)}"),
        header("{'descr': '<f4', 'fortran_order': False, 'shape': (10,)}", bytes(39)),
        header("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 3, 4, 5) * 9}"),
        b"PK\x03\x04" + bytes(30),
        b"PK\x05\x06",
    ],
)
def test_damaged(data: bytes) -> None:
    with pytest.raises(SourceError):
        read(data)


def test_truncated() -> None:
    for data in (npy(np.zeros((50, 50))), npz(depth=np.random.default_rng(0).normal(size=(50, 50)))):
        for keep in (len(data) - 1, len(data) // 2, 40):
            with pytest.raises(SourceError):
                read(data[:keep])


def test_a_huge_header_is_stopped_before_allocation() -> None:
    with pytest.raises(LimitError, match="more than the limit"):
        read(header("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 1000000)}"))


def test_zip_bombs() -> None:
    zeros = npy(np.zeros(1_000_000, np.uint8))
    bomb = npz(depth=np.zeros(1_000_000, np.uint8))
    assert len(bomb) < 5000
    with pytest.raises(LimitError, match="more than the limit"):
        read(bomb, limits=Limits(max_bytes=100_000))
    # A header that promises little in front of much, and a directory that lies about the size.
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("depth.npy", zeros)
    lying = out.getvalue().replace(struct.pack("<I", len(zeros)), struct.pack("<I", 200))
    with pytest.raises(SourceError):
        read(lying)


def packed(array: np.ndarray, compression: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        archive.writestr("depth.npy", npy(array))
    return out.getvalue()


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_the_size_of_a_map_is_checked_before_it_is_unpacked(compression: int) -> None:
    data = packed(np.zeros((1, 2000, 4000), np.float32), compression)
    np.testing.assert_array_equal(read(data), np.zeros((1, 2000, 4000), np.float32))
    tracemalloc.start()
    try:
        with pytest.raises(LimitError, match="4000 x 2000 pixels"):
            preprocess.depth(data, limits=Limits(max_pixels=10_000))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < len(data) + (4 << 20)


def test_bzip2_is_unpacked_only_as_far_as_it_is_read() -> None:
    """A member that says it is small, and is not."""
    data = packed(np.zeros(30 << 20, np.uint8), zipfile.ZIP_BZIP2)
    assert len(data) < 1000
    small = data.replace((30 << 20 | 128).to_bytes(4, "little"), (500).to_bytes(4, "little"))
    assert small != data
    tracemalloc.start()
    try:
        with pytest.raises(SourceError, match="truncated"):
            read(small)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 << 20


def test_other_compressions_are_refused() -> None:
    with pytest.raises(SourceError, match="savez_compressed"):
        read(packed(np.zeros((4, 4)), zipfile.ZIP_LZMA))

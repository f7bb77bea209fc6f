"""``Model.stream`` over tables, tar shards, folders, archives and URLs: what ``bind-embed`` takes."""

from __future__ import annotations

import io
import shutil
import tarfile
import uuid
import zipfile
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

import bindrt
from support.embedding import DEPTH, PHOTO, SOUND
from support.picture_rows import rows_with_pictures

N = 9
COLUMNS: Any = {"image": "photo", "text": "caption"}


@pytest.fixture
def rows(tmp_path: Path) -> pa.Table:
    return rows_with_pictures(tmp_path, N)


FORMS: dict[str, Callable[[pa.Table, Path], None]] = {
    "t.parquet": lambda table, path: pq.write_table(table, path, row_group_size=2),
    "t.csv": pyarrow.csv.write_csv,
    "t.feather": pyarrow.feather.write_feather,
}


@pytest.mark.parametrize("form", FORMS)
def test_a_row_has_its_vectors_and_its_other_columns(
    form: str, rows: pa.Table, tmp_path: Path, small_model: bindrt.Model
) -> None:
    FORMS[form](rows, tmp_path / form)
    place = tmp_path / form
    found = list(small_model.stream(COLUMNS, place, prefetch=5, on_error="skip"))
    photo = small_model.embed(image=PHOTO).image[0]
    captions = small_model.embed(text=[f"a bell {n}" for n in range(N)]).text
    assert [(row.index, row.row, row.place) for row in found] == [(n, n, str(place)) for n in range(N)]
    assert [row.columns for row in found] == rows.to_pylist()
    for n, row in enumerate(found):
        if n == 3:
            assert "image" not in row.vectors
            assert str(row.errors["image"]).startswith(f"{place} row 3 image ")
        else:
            np.testing.assert_allclose(row.vectors["image"], photo, atol=1e-5)
        assert ("text" in row.vectors) == (n != 4)
        if n != 4:
            np.testing.assert_allclose(row.vectors["text"], captions[n], atol=1e-5)
    assert sum(len(row.errors) for row in found) == 1


def test_tables_in_memory_and_several(rows: pa.Table, small_model: bindrt.Model, tmp_path: Path) -> None:
    texts = rows.select(["number", "caption"])
    found = list(small_model.stream({"text": "caption"}, texts))
    assert [row.place for row in found] == [None] * N
    assert [row.columns["number"] for row in found] == list(range(N))
    assert len(list(small_model.stream({"text": "caption"}, texts.to_batches()[0]))) == N
    for name in ("a.parquet", "b.parquet"):
        pq.write_table(texts, tmp_path / name)
    several = list(
        small_model.stream({"text": "caption"}, [tmp_path / "a.parquet", str(tmp_path / "b.parquet")])
    )
    assert [(row.index, row.row) for row in several] == [(n, n % N) for n in range(2 * N)]


def test_samples_of_a_shard_of_which_few_have_a_sound(tmp_path: Path, small_model: bindrt.Model) -> None:
    with tarfile.open(tmp_path / "s.tar", "w") as archive:
        for n in range(6):
            for suffix, data in (("webp", PHOTO.read_bytes()), ("wav", SOUND.read_bytes())):
                if suffix == "webp" or n == 5:
                    member = tarfile.TarInfo(f"{n}.{suffix}")
                    member.size = len(data)
                    archive.addfile(member, io.BytesIO(data))
    wanted: Any = {"image": "webp", "audio": "wav"}
    found = list(small_model.stream(wanted, tmp_path / "s.tar", prefetch=4))
    assert [row.columns["__key__"] for row in found] == list("012345")
    assert [list(row.vectors) for row in found] == [["image"]] * 5 + [["image", "audio"]]
    assert all(set(row.columns) == {"__key__"} for row in found)


def test_the_first_error_ends_it_and_nothing_stays_in_work(
    rows: pa.Table, tmp_path: Path, small_model: bindrt.Model
) -> None:
    pq.write_table(rows, tmp_path / "t.parquet")
    found = []
    with pytest.raises(bindrt.SourceError, match=r"t\.parquet row 3 image .*there is no such file"):
        found.extend(small_model.stream(COLUMNS, tmp_path / "t.parquet"))
    for _ in small_model.stream({"text": "caption"}, pa.table({"caption": ["a"] * 500})):
        break
    assert len(list(small_model.stream({"text": "caption"}, rows))) == N


def test_rows_are_taken_as_they_are_wanted(
    small_model: bindrt.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    submitted = []
    plain = small_model.pipelines.submit_many

    def counted(modality: str, items: list[object], **options: Any) -> Any:
        submitted.extend(items)
        return plain(modality, items, **options)

    monkeypatch.setattr(small_model.pipelines, "submit_many", counted)
    table = pa.table({"caption": ["a bell"] * 1000})
    assert len(list(islice(small_model.stream({"text": "caption"}, table, prefetch=8), 3))) == 3
    assert len(submitted) <= 12


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    (folder / "deep").mkdir(parents=True)
    for name in ("a.webp", "deep/b.webp", ".hidden.webp"):
        shutil.copy(PHOTO, folder / name)
    return folder


@pytest.fixture(params=["folder", "zip", "tar", "tar.gz", "url", "zip behind a url", "tar.gz behind a url"])
def place(request: pytest.FixtureRequest, pictures: Path, tmp_path: Path) -> Iterator[str]:
    kind, _, behind = request.param.partition(" behind")
    if behind:
        url = f"memory://{uuid.uuid4().hex}/p.{kind}"
        with fsspec.open(url, "wb") as file:
            file.write(packed(kind, pictures, tmp_path).read_bytes())
        yield url
        fsspec.filesystem("memory").rm(url)
    elif request.param == "folder":
        yield str(pictures)
    elif request.param == "url":
        url = f"memory://{uuid.uuid4().hex}/"
        for path in pictures.rglob("*.webp"):
            with fsspec.open(url + str(path.relative_to(pictures)), "wb") as file:
                file.write(path.read_bytes())
        yield url
        fsspec.filesystem("memory").rm(url, recursive=True)
    else:
        yield str(packed(kind, pictures, tmp_path))


def packed(kind: str, pictures: Path, folder: Path) -> Path:
    """An archive of the pictures."""
    path = folder / f"p.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for picture in sorted(pictures.rglob("*.webp")):
                archive.write(picture, picture.relative_to(pictures))
    else:
        with tarfile.open(path, "w:gz" if kind == "tar.gz" else "w") as archive_of_tar:
            archive_of_tar.add(pictures, ".")
    return path


def test_the_files_of_a_place(place: str, small_model: bindrt.Model) -> None:
    found = list(small_model.stream("image", place))
    assert sorted(str(one.item)[-6:] for one in found) == ["a.webp", "b.webp"]
    photo = small_model.embed(image=PHOTO).image[0]
    for one in found:
        np.testing.assert_allclose(one.vector, photo, atol=1e-5)  # type: ignore[arg-type]


def test_options_are_those_of_bind_embed(tmp_path: Path, small_model: bindrt.Model) -> None:
    (tmp_path / "maps").mkdir()
    shutil.copy(DEPTH, tmp_path / "maps/d.png")
    options: Any = {"depth": {"unit": "m"}}
    wanted = small_model.embed(depth=bindrt.Depth(DEPTH, unit="m")).depth[0]
    (of_folder,) = small_model.stream("depth", tmp_path / "maps", options=options)
    (of_row,) = small_model.stream({"depth": "d"}, pa.table({"d": [str(DEPTH)]}), options=options)
    for vector in (of_folder.vector, of_row.vectors["depth"]):
        np.testing.assert_allclose(vector, wanted, atol=1e-5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("modality", "items", "options", "said"),
    [
        ({"image": "photo"}, 3, None, "int is no table"),
        ({"image": "photo"}, [3], None, "int is no table's place"),
        ({"image": "photo"}, "none.csv", None, "there is no such file"),
        ({"image": "photo"}, "photo.webp", None, "it is no table"),
        (
            {"image": "picture"},
            "t.parquet",
            None,
            r"the rows do not have it \(.*t\.parquet\); they have n, photo",
        ),
        ({}, "t.parquet", None, "not a column for each modality"),
        ({"smell": "photo"}, "t.parquet", None, "smell"),
        ("image", "t.parquet", None, "str is not an iterable of items.*of a table embed columns"),
        ("text", "pictures", None, "str is not an iterable of items"),
        ("image", ["a.jpg"], {"image": {"exif": "true"}}, "they are for files of a folder and for tables"),
        ({"depth": "photo"}, "t.parquet", {"depth": {"unit": "feet"}}, "unit"),
    ],
)
def test_what_is_wrong_is_told(
    modality: Any, items: Any, options: Any, said: str, pictures: Path, small_model: bindrt.Model,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(pictures.parent)
    pq.write_table(pa.table({"n": [1], "photo": ["p"]}), "t.parquet")
    shutil.copy(PHOTO, "photo.webp")
    with pytest.raises(bindrt.Error, match=said):
        list(small_model.stream(modality, items, options=options))

"""A bundle is untrusted: what is damaged, hostile or not ours is a BundleError, and nothing else."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bindrt
from bindrt.bundle import open_bundle
from bindrt_export.cli import main

ITEM = bindrt.Prepared(np.linspace(-1, 1, 12000, dtype=np.float32).reshape(6, 2000))
GRAPH, WEIGHTS, LICENCE = "onnx/fp32/imu.onnx", "onnx/fp32/imu.weights", "LICENSE-WEIGHTS.txt"
TOKENIZER = "clip_tokenizer.json.gz"
NOBODY = 65534


@pytest.fixture
def bundle(imu_bundle: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    return Path(shutil.copytree(imu_bundle, tmp_path / "copy.bind"))


@pytest.fixture(scope="module")
def expected(imu_bundle: Path) -> np.ndarray:
    return embedded(imu_bundle)


def embedded(path: Path | str) -> np.ndarray:
    with bindrt.load(path, verify=True) as model:
        return model.embed(imu=ITEM).imu


def refused(path: object, pattern: str, **options: Any) -> str:
    """The text of the BundleError that loading raises."""
    with pytest.raises(bindrt.BundleError) as caught:
        bindrt.load(path, **options)  # type: ignore[arg-type]
    text = str(caught.value)
    assert re.search(pattern, text), text
    return text


def edit(bundle: Path, change: Callable[[Any], object]) -> Path:
    data = json.loads((bundle / "bundle.json").read_text())
    change(data)
    (bundle / "bundle.json").write_text(json.dumps(data))
    return bundle


def flip(path: Path, at: int | None = None) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2 if at is None else at] ^= 0x10
    path.write_bytes(data)


def check(bundle: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Exit code and all that ``bind-export --check`` says."""
    code = main(["--check", str(bundle), "--json"])
    said = capsys.readouterr()
    return code, said.out + said.err


@pytest.mark.parametrize(
    "name", ["onnx/fp32/vision.onnx", "onnx/fp32/text.weights", TOKENIZER, "LICENSE-WEIGHTS.txt"]
)
def test_a_changed_byte_is_found(
    small_bundle: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = Path(shutil.copytree(small_bundle, tmp_path / "copy.bind"))
    flip(bundle / name)
    refused(bundle, f"copy.bind/{re.escape(name)}: its SHA-256", verify=True)
    code, said = check(bundle, capsys)
    assert code == 1
    assert name in said


@pytest.mark.parametrize("at", [-200, -100, 150, 240, 400])
def test_changed_reference_vectors_are_found(
    bundle: Path, at: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """They stand in no manifest; the archive's own checksums cover them."""
    assert check(bundle, capsys)[0] == 0
    assert (bundle / "parts/imu.npz").stat().st_size == 632, "the positions lie in headers, names and data"
    flip(bundle / "parts/imu.npz", at)
    code, said = check(bundle, capsys)
    assert code == 1
    assert "parts/imu.npz" in said


def test_reference_vectors_that_are_no_such_thing(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = bundle / "parts/imu.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("random.npy", "imu.npy"):
            archive.writestr(name, b"\x93NUMPY" + bytes(50_000_000))
    assert path.stat().st_size < 200_000
    code, said = check(bundle, capsys)
    assert (code, "larger than what it holds" in said) == (1, True), said
    path.unlink()
    for content in (b"", b"PK\x03\x04", b"\x93NUMPY"):
        path.write_bytes(content)
        code, said = check(bundle, capsys)
        assert (code, "damaged" in said) == (1, True), said
    path.unlink()
    path.symlink_to("/etc/hosts")
    code, said = check(bundle, capsys)
    assert (code, "leads out" in said) == (1, True), said


@pytest.mark.parametrize("name", [GRAPH, WEIGHTS, LICENCE])
@pytest.mark.parametrize("change", [-1, 1, -40, 5000])
def test_another_size_is_found_without_hashing(bundle: Path, name: str, change: int) -> None:
    size = (bundle / name).stat().st_size + change
    os.truncate(bundle / name, size)
    refused(
        bundle, rf"copy.bind/{name}: the file has {size} bytes, the manifest says {size - change}; .*again"
    )


@pytest.mark.parametrize("name", [GRAPH, WEIGHTS, LICENCE])
@pytest.mark.parametrize("instead", ["nothing", "folder", "fifo", "dangling", "loop"])
def test_what_is_no_file(bundle: Path, name: str, instead: str) -> None:
    path = bundle / name
    path.unlink()
    if instead == "folder":
        path.mkdir()
    elif instead == "fifo":
        os.mkfifo(path)
    elif instead == "dangling":
        path.symlink_to("gone")
    elif instead == "loop":
        path.symlink_to(path.name)
    said = {"folder": "not a regular file", "fifo": "not a regular file", "loop": "cannot be read|missing"}
    refused(bundle, f"{name}: .*({said.get(instead, 'missing')})")


@pytest.mark.parametrize(
    "path",
    ["../outside", "onnx/../../outside", "..", ".", "./LICENSE-WEIGHTS.txt", "onnx/./fp32/imu.onnx",
     "/etc/hosts", "//etc/hosts", "onnx//imu.onnx", "onnx\\fp32\\imu.onnx", "..\\outside", "C:\\x", "C:/x",
     "c:x", "", " ", "imu.onnx\0", "imu.onnx\n", "~/x", "$HOME", "ü.txt", "a" * 201, "a/" * 99 + "a" * 9, "file:///etc/hosts"],
)  # fmt: skip
def test_paths_that_lead_elsewhere(bundle: Path, path: str) -> None:
    (bundle.parent / "outside").write_bytes((bundle / LICENCE).read_bytes())
    edit(bundle, lambda m: m["license"].update(path=path))
    refused(bundle, "not allowed|leads out|missing")


@pytest.mark.parametrize("name", [GRAPH, WEIGHTS, LICENCE, "onnx", "onnx/fp32", "bundle.json"])
def test_links_out_of_the_bundle(bundle: Path, name: str) -> None:
    outside = bundle.parent / "outside"
    shutil.move(bundle / name, outside)
    (bundle / name).symlink_to(outside)
    refused(bundle, f"copy.bind/{name}.*leads out of the bundle.*trust")


def test_links_within_and_to_the_bundle(bundle: Path, expected: np.ndarray) -> None:
    shutil.move(bundle / "onnx", bundle / "graphs")
    (bundle / "onnx").symlink_to("graphs")
    link = bundle.parent / "link.bind"
    link.symlink_to(bundle)
    np.testing.assert_array_equal(embedded(link), expected)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not JSON"),
        (b"bindrt", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"a":' * 100_000, "not JSON"),
        (b'{"schema": 1, "schema": 2}', "twice"),
        (b'{"schema": NaN}', "NaN"),
        (b'{"schema": -Infinity}', "Infinity"),
        (b'{"schema": ' + b"9" * 5000 + b"}", "not JSON"),
        (b'{"a": "\xff"}', "not JSON"),
        ('{"a": 1}'.encode("utf-16"), "not JSON"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b"[]", "not an object"),
        (b"null", "not an object"),
        (b"{}", "format"),
        (b'{"format": "other"}', "'other', expected 'bindrt-bundle'"),
    ],
)
def test_manifests_that_are_none(bundle: Path, content: bytes, words: str) -> None:
    (bundle / "bundle.json").write_bytes(content)
    assert len(refused(bundle, f"copy.bind/bundle.json.*{words}")) < 300


def test_manifest_missing_huge_or_no_file(bundle: Path) -> None:
    path = bundle / "bundle.json"
    path.write_bytes(b" " * (17 << 20))
    refused(bundle, "larger than 16 MiB")
    path.unlink()
    refused(bundle, "has no bundle.json")
    path.mkdir()
    refused(bundle, "not a regular file")
    path.rmdir()
    os.mkfifo(path)
    refused(bundle, "not a regular file")


@pytest.mark.parametrize("schema", [0, 2, 10**18, -1])
def test_another_schema_says_what_to_do(bundle: Path, schema: int) -> None:
    edit(bundle, lambda m: m.update(schema=schema))
    refused(bundle, f"schema version {schema}; this bindrt reads version 1; export again")


@pytest.mark.parametrize(
    ("path", "words"),
    [(None, "path"), (5, "path"), ("missing.bind", "no such folder"), ("a\0b", "no such folder"),
     (b"missing", "no such folder"), (__file__, "folder, but a file"), ("", "'': it has no"),
     ("x" * 5000, "x")],
)  # fmt: skip
def test_what_is_no_bundle(path: object, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    refused(path, words)


#: What stands in a manifest instead of each of its values.
INSTEAD: list[Any] = [
    None, True, False, 0, 1, -1, 7, 2**31, 2**63, 10**400, 0.5, -0.0, 1e308, 5e-324, "", "x", "..", "ü" * 300,
    "\ud800", "\x1b[2J", "0" * 64, "fp16", "text", [], [[]], [1, 2], [None], {}, {"a": 1}, {"\x1b[2J": {}},
    [65536] * 6, [{}], [[]] * 20_000,
]  # fmt: skip


def places(value: Any, where: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The way to each value of a JSON tree, objects and lists among them."""
    if where:
        yield where
    if isinstance(value, (dict, list)):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*where, key))


def test_any_value_in_any_place_of_the_manifest(bundle: Path, expected: np.ndarray) -> None:
    """Each is refused by name, or changes nothing: then the vectors are as before, by whichever engine."""
    original = json.loads((bundle / "bundle.json").read_text())
    refusals, harmless = 0, set()
    for where in places(original):
        for value in [*INSTEAD, KeyError]:
            data = json.loads(json.dumps(original))
            parent = data
            for key in where[:-1]:
                parent = parent[key]
            if value is KeyError:
                del parent[where[-1]]
            elif json.dumps(value) == json.dumps(parent[where[-1]]):
                continue
            else:
                parent[where[-1]] = value
            (bundle / "bundle.json").write_text(json.dumps(data))
            try:
                with bindrt.load(bundle) as model:
                    rows = model.embed(imu=ITEM).imu
            except bindrt.BundleError as error:
                text = str(error)
            except Exception as error:
                raise AssertionError(f"{where} = {value!r:.80}: {error!r}") from error
            else:
                np.testing.assert_allclose(rows, expected, 0, 2e-6, err_msg=f"{where} = {value!r:.80}")
                harmless.add(".".join(map(str, where)))
                continue
            assert len(text) < 1000, where
            assert text.isprintable(), where
            refusals += 1
    assert refusals > 1000
    # What only informs, and the hashes, which only ``verify`` looks at; all else was refused throughout.
    informs = r"encoders\.imu\.(name|parameters|depth|heads|width|scale|part)|model\.text_scale|tokenizer"
    informs += r"|engines\.0\.(min_batch|max_batch|target)|modalities\.imu\.(views|preprocessing.*)|.*sha256"
    assert {place for place in harmless if not re.fullmatch(informs, place)} == set()


def test_a_file_listed_twice_must_be_the_same(bundle: Path) -> None:
    def change(m: Any) -> None:
        m["license"] = {**m["engines"][0]["files"][1], "sha256": "0" * 64}

    refused(edit(bundle, change), "imu.weights is listed twice")


def test_engines_for_another_encoder_or_of_another_kind(bundle: Path) -> None:
    edit(bundle, lambda m: m["engines"][0].update(engine="openvino"))
    with pytest.raises(bindrt.EngineError, match=r"it holds .*openvino fp32"):
        bindrt.load(bundle, engine="onnxruntime")
    edit(bundle, lambda m: m["engines"][0].update(precision="int8", engine="onnxruntime"))
    refused(bundle, "default_precision is fp32")


@pytest.mark.parametrize("name", [TOKENIZER, None])
def test_only_our_tokenizer(small_bundle: Path, tmp_path: Path, name: str | None) -> None:
    bundle = Path(shutil.copytree(small_bundle, tmp_path / "copy.bind"))
    if name is None:
        edit(bundle, lambda m: m.update(tokenizer=None))
        words = "has no tokenizer"
    else:
        flip(bundle / name)
        digest = hashlib.sha256((bundle / name).read_bytes()).hexdigest()
        edit(bundle, lambda m: m["tokenizer"].update(sha256=digest))
        words = "not CLIP's as bindrt ships it"
    refused(bundle, words, verify=True)
    refused(bundle, words, modalities=["text"])
    with bindrt.load(bundle, modalities=["imu", "image"], verify=True) as model:
        assert model.embed(imu=ITEM).imu.shape == (1, model.embed_dim)


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.update(space=m["space"][:-1] + "x"),
        lambda m: m["model"].update(weights="0" * 64),
        lambda m: m["model"].update(embed_dim=17),
        lambda m: m["model"].update(family="openclip"),
    ],
)
def test_another_space_is_refused(bundle: Path, change: Callable[[Any], object]) -> None:
    refused(edit(bundle, change), "its space imagebind-16-float-.* is not what")


def test_other_preprocessing_is_refused(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bindrt import bundle_checks

    real = bundle_checks.descriptions

    def changed(held: Iterable[str]) -> dict[str, dict[str, object]]:
        found = real(held)
        return {**found, "imu": {**found["imu"], "rate": 401.0}}

    monkeypatch.setattr(bundle_checks, "descriptions", changed)
    refused(bundle, "exported with other preprocessing; export again")


@pytest.mark.parametrize("name", ["with a space.bind", "名前 é.bind", "a'b\"c$d.bind", "UPPER%20.bind", "-x"])
def test_any_name_and_place_will_do(bundle: Path, name: str, expected: np.ndarray) -> None:
    moved = bundle.parent / "elsewhere" / name
    moved.parent.mkdir()
    np.testing.assert_array_equal(embedded(bundle), expected)
    shutil.move(bundle, moved)
    np.testing.assert_array_equal(embedded(moved), expected)
    refused(bundle, "no such folder")


def test_relative_path_outlives_a_change_of_folder(
    bundle: Path,
    expected: np.ndarray,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(bundle)
    with bindrt.load(".") as model:
        assert model.bundle.path.name == "copy.bind"
        monkeypatch.chdir("/")
        np.testing.assert_array_equal(model.embed(imu=ITEM).imu, expected)


def test_a_bundle_that_goes_away_while_loaded(bundle: Path, expected: np.ndarray) -> None:
    model = bindrt.load(bundle)
    moved = bundle.rename(bundle.with_name("moved.bind"))
    with pytest.raises(bindrt.BundleError, match=r"imu\.onnx: the file is missing"):
        model.embed(imu=ITEM)
    moved.rename(bundle)
    np.testing.assert_array_equal(model.embed(imu=ITEM).imu, expected)


def test_read_only_and_nothing_written(bundle: Path, expected: np.ndarray) -> None:
    for path in [*bundle.rglob("*"), bundle]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = [(p, p.stat().st_mtime_ns) for p in sorted(bundle.parent.rglob("*"))]
    np.testing.assert_array_equal(embedded(bundle), expected)
    assert [(p, p.stat().st_mtime_ns) for p in sorted(bundle.parent.rglob("*"))] == before
    for path in [bundle, *bundle.rglob("*")]:
        path.chmod(0o755)


@pytest.mark.parametrize("name", ["", "bundle.json", "onnx", WEIGHTS])
def test_what_may_not_be_read(bundle: Path, name: str) -> None:
    """As another user where the tests run as root, whom no permission stops."""
    target = bundle / name
    for folder in (bundle, *bundle.parents[:3]):
        folder.chmod(folder.stat().st_mode | 0o055)
    target.chmod(0)
    root = os.geteuid() == 0
    try:
        if root:
            os.seteuid(NOBODY)
        refused(bundle, "cannot be read.*[Pp]ermission", verify=True)
    finally:
        if root:
            os.seteuid(0)
        target.chmod(0o700)
    assert open_bundle(bundle, verify=True).manifest.embed_dim == 16

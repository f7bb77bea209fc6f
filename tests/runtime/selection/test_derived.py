"""What a bundle can be used with: the files that it lists, and what engines make of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import bindrt
from bindrt.bundle import Bundle, open_bundle
from bindrt.engines import ENGINES, EngineSettings
from bindrt.selection import candidates, choose
from bindrt.selection.derived import usable_files, usable_precisions
from support.toy_engine import bundle_of, toy_kind


@pytest.fixture
def made(tmp_path: Path, imu_bundle: Path) -> Callable[..., Bundle]:
    """Makes a bundle that claims to hold some precisions."""
    return lambda *precisions: open_bundle(bundle_of(tmp_path / "made.bind", imu_bundle, *precisions))


def names(bundle: Bundle) -> list[tuple[str, str, str]]:
    return [(e.engine, e.precision, e.stored) for e in usable_files(bundle.manifest)]


def test_one_set_of_files_serves_several(made: Callable[..., Bundle], toy_alone: Callable[..., None]) -> None:
    toy_alone()
    bundle = made("fp32")
    assert names(bundle) == [("onnxruntime", "fp32", ""), ("toy", "fp32", "fp32"), ("toy", "bf16", "fp32")]
    assert usable_precisions(bundle.manifest) == ["fp32", "bf16"]
    assert len({e.files for e in usable_files(bundle.manifest)}) == 1
    assert bundle.manifest.precisions() == ["fp32"]  # the manifest is what it was


def test_files_of_the_precision_come_before_a_conversion(
    made: Callable[..., Bundle], toy_alone: Callable[..., None]
) -> None:
    toy_alone()
    stored = {(engine, p): s for engine, p, s in names(made("fp16", "fp32", "bf16", "int8"))}
    assert stored["toy", "bf16"] == "bf16"
    assert stored["toy", "int8"] == "int8"
    assert stored["onnxruntime", "bf16"] == ""


def test_a_conversion_is_made_of_the_most_precise(
    made: Callable[..., Bundle], toy_alone: Callable[..., None]
) -> None:
    toy_alone()
    assert ("toy", "bf16", "fp32") in names(made("fp16", "fp32"))


def test_an_engine_that_lists_files_derives_only_other_precisions(
    made: Callable[..., Bundle], toy_alone: Callable[..., None]
) -> None:
    toy_alone(reads=("another",))
    ENGINES["onnxruntime"] = toy_kind(name="onnxruntime", reads=())
    assert names(made("fp32")) == [("onnxruntime", "fp32", ""), ("onnxruntime", "bf16", "fp32")]


def test_the_order_of_preference_is_one_of_the_precision(
    made: Callable[..., Bundle], toy_alone: Callable[..., None]
) -> None:
    toy_alone()
    bundle = made("fp32", "int8")

    def order(precision: str) -> list[str]:
        return [f"{e.engine} {e.precision}" for e in candidates(bundle, "imu", "auto", precision, "auto")]

    assert order("fp32") == ["onnxruntime fp32", "toy fp32"]
    assert order("int8") == ["toy int8", "onnxruntime int8"]
    assert order("fast") == ["toy bf16", "onnxruntime fp32"]  # the toy's fp32 is not worth measuring
    assert order("fastest") == ["toy int8", "toy bf16", "onnxruntime fp32", "onnxruntime int8"]


def test_fast_is_of_the_default_s_space(made: Callable[..., Bundle], toy_alone: Callable[..., None]) -> None:
    toy_alone()
    found = candidates(made("int8", "fp32"), "imu", "auto", "fast", "auto")
    assert {e.precision for e in found} == {"int8"}


def test_a_fast_start_takes_the_first_and_measures_nothing(
    made: Callable[..., Bundle], toy_alone: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    toy_alone(startups=("fast-run", "fast-start"))
    monkeypatch.setattr("bindrt.selection.contest.open_engine", None)
    found = choose(made("int8"), "imu", "auto", "int8", "auto", EngineSettings(startup="fast-start"))
    assert found.engine == "toy"


def test_without_units_nothing_is_derived(
    made: Callable[..., Bundle], toy_alone: Callable[..., None]
) -> None:
    toy_alone(lacks=lambda precision: f"no {precision} units")
    bundle = made("fp32", "int8")
    assert usable_precisions(bundle.manifest) == ["fp32", "int8"]
    for engine in ("auto", "toy"):
        with pytest.raises(bindrt.EngineError, match=r"none of its engines runs here \(toy: no bf16 units\)"):
            candidates(bundle, "imu", engine, "bf16", "auto")
    with pytest.raises(
        bindrt.OptionError,
        match=r"precision='bf16': not in this bundle, and nothing here computes it from other files "
        r"\(toy: no bf16 units\); it has fp32, int8",
    ):
        bindrt.load(bundle.path, precision="bf16")
    assert [e.precision for e in candidates(bundle, "imu", "toy", "int8", "auto")] == ["int8"]


def test_an_absent_engine_derives_nothing(
    made: Callable[..., Bundle], toy_alone: Callable[..., None]
) -> None:
    toy_alone(modules=("no_such_module",))
    bundle = made("fp32")
    assert usable_precisions(bundle.manifest) == ["fp32"]
    with pytest.raises(bindrt.OptionError, match=r"toy: not installed"):
        bindrt.load(bundle.path, precision="bf16")


def test_files_that_nothing_can_be_computed_from(
    made: Callable[..., Bundle], toy_alone: Callable[..., None]
) -> None:
    toy_alone()
    with pytest.raises(
        bindrt.OptionError, match="which has no files that toy could compute it from; it has int8"
    ):
        bindrt.load(made("int8").path, precision="bf16")


def test_conversions_are_for_a_cpu(made: Callable[..., Bundle], toy_alone: Callable[..., None]) -> None:
    toy_alone(devices=("cpu", "gpu"))
    with pytest.raises(bindrt.EngineError, match="it computes bf16 from fp32 files on a CPU only"):
        candidates(made("fp32"), "imu", "auto", "bf16", "gpu")

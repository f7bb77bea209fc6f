"""``load(precision=…)``: another precision than the files', the fastest of a space, and of all spaces."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bindrt
from bindrt import background, hardware
from bindrt.bundle import open_bundle
from bindrt.engines import ENGINES
from bindrt.selection import contest
from support.engines import SimulatedEngine
from support.stopwatch import timed
from support.toy_engine import NUMBERS, bundle_of

TWO = ["text", "imu"]


@pytest.fixture
def made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, toy_alone: Callable[..., None]
) -> Callable[..., Path]:
    """Makes a bundle of bind-tiny that claims to hold some precisions; the toy and ONNX Runtime read it."""
    toy_alone()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    tiny = open_bundle("tiny").path

    def make(*precisions: str) -> Path:
        return bundle_of(tmp_path / "made.bind", tiny, *precisions)

    return make


def number(model: bindrt.Model) -> float:
    return float(model.embed(text="a", normalize=False).text[0, 0])


def test_bf16_from_fp32_files(made: Callable[..., Path]) -> None:
    path = made("fp32")
    before = (path / "bundle.json").read_bytes()
    with bindrt.load(path, precision="bf16") as model, bindrt.load(path, engine="onnxruntime") as exact:
        assert (model.precision, exact.precision) == ("bf16", "fp32")
        assert number(model) == NUMBERS["bf16"]
        assert model.space == exact.space
        assert model.engine("text").precision == "bf16"
        assert "; bf16; " in repr(model)
    assert (path / "bundle.json").read_bytes() == before


def test_the_default_stays_exact(made: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    opened = timed(monkeypatch, {"onnxruntime": 0.02, "toy fp32": 0.01, "toy bf16": 0.001})
    with bindrt.load(made("fp32")) as model:
        model.warm_up()
        assert model.precision == "fp32"
    assert "toy bf16" not in opened()


def test_unknown_precisions(made: Callable[..., Path]) -> None:
    path = made("fp32")
    with pytest.raises(bindrt.OptionError, match=r"unknown; one of fp32, .*, fast, fastest"):
        bindrt.load(path, precision="quick")  # type: ignore[arg-type]
    with pytest.raises(bindrt.OptionError, match=r"precision='fp8': not in this bundle; it has bf16, fp32"):
        bindrt.load(path, precision="fp8")


def test_fast_measures_once_and_says_so(made: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    opened = timed(monkeypatch, {"onnxruntime": 0.02, "toy fp32": 0.03, "toy bf16": 0.01})
    path = made("fp32")
    with bindrt.load(path, precision="fast") as model:
        assert model.precision == "fast"  # nothing is measured before it is used
        assert "; fast, not measured yet; " in repr(model)
        assert opened() == []
        assert number(model) == NUMBERS["bf16"]
        assert model.precision == "bf16"
        assert "; bf16 by toy, chosen as fast; " in repr(model)
        engine = model.stats()["text"]["engine"]
        assert (engine["engine"], engine["precision"]) == ("toy", "bf16")
        assert engine["why"].startswith("one item took toy bf16 10.0 ms, onnxruntime fp32 20.0 ms")
    assert len(opened()) == 2
    with bindrt.load(path, precision="fast", modalities=["text"]) as model:
        assert model.precision == "bf16"  # remembered
        model.warm_up()
        assert model.stats() == {}
    assert len(opened()) == 2
    line = (
        "made.bind text bf16, fp32: toy bf16, since one item took toy bf16 10.0 ms, onnxruntime fp32 20.0 ms"
    )
    assert line in str(bindrt.doctor())


def test_encoders_may_differ_within_a_space(
    made: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made("fp32")
    times: dict[str, Any] = {"onnxruntime": 0.02, "toy fp32": 0.03, "toy bf16": 0.01}
    timed(monkeypatch, times)
    with bindrt.load(path, precision="fast", modalities=TWO) as model:
        model.engine("text")
        times["toy bf16"] = 0.04
        model.engine("imu")
        assert model.precision == "fp32 (imu), bf16 (text)"


def test_fastest_is_one_space_for_all(made: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path = made("fp32", "int8")
    times = {"onnxruntime": 0.02, "toy fp32": 0.03, "toy bf16": 0.01, "toy int8": 0.005}
    opened = timed(monkeypatch, times)
    with bindrt.load(path, precision="fastest", modalities=TWO) as model:
        assert model.precision == "int8"
        assert "-int8-" in model.space
        assert number(model) == NUMBERS["int8"]
        why = model.stats()["text"]["engine"]["why"]
        assert "int8, since one item of each encoder took fp32/fp16/bf16 20.0 ms, int8 10.0 ms" in why
    found = len(opened())
    with bindrt.load(path, precision="fastest", modalities=TWO) as model, bindrt.load(path) as default:
        assert model.precision == "int8"
        assert model.space != default.space
    assert len(opened()) == found == 2 * 4


@pytest.mark.parametrize("scheduling", ["batch", "normal"])
def test_fastest_measures_in_the_class_of_the_option(
    made: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, scheduling: str
) -> None:
    """What an engine starts when it is opened has the class of the thread that opens it."""
    timed(monkeypatch, {"onnxruntime": 0.02, "toy": 0.01})
    open_engine, now = contest.open_engine, ["normal"]
    found: set[str] = set()

    def join() -> bool:  # in place of the system, where the tests may be of another class
        now.append("batch")
        return True

    def leave(name: str) -> bool:
        now.append(name)
        return True

    def noted(*given: Any) -> Any:
        found.add(now[-1])
        return open_engine(*given)

    monkeypatch.setattr(background, "join_batch_class", join)
    monkeypatch.setattr(background, "_set_class", leave)
    monkeypatch.setattr(contest, "open_engine", noted)
    options = bindrt.PipelineOptions(scheduling=scheduling)
    bindrt.load(made("fp32", "int8"), precision="fastest", modalities=TWO, pipeline=options).close()
    assert found == {scheduling}
    assert now == (["normal", "batch", "SCHED_OTHER"] if scheduling == "batch" else ["normal"])


def test_fastest_counts_the_sum_of_the_encoders(
    made: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """int8 gains less at the one encoder than it loses at the other."""
    path = made("fp32", "int8")
    times: dict[str, Any] = {"onnxruntime": 1.0, "toy fp32": 1.0, "toy bf16": 0.02, "toy int8": 0.01}
    timed(monkeypatch, times)
    with bindrt.load(path, precision="fastest", modalities=["text"]) as model:
        assert model.precision == "int8"
    times["toy int8"] = 0.05
    with bindrt.load(path, precision="fastest", modalities=TWO) as model:
        assert model.precision == "bf16"


def test_fastest_compares_no_times_of_different_hours(
    made: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """int8 was measured while the machine had other work, bf16 while it had none; and one encoder alone."""
    path = made("fp32", "int8")
    times: dict[str, Any] = {"onnxruntime": 9.0, "toy int8": 0.03, "toy fp32": 0.06, "toy bf16": 0.06}
    timed(monkeypatch, times)
    for precision in ("int8", "fastest"):
        with bindrt.load(path, precision=precision, modalities=["text"]) as model:  # type: ignore[arg-type]
            model.engine("text")
    times |= {"toy int8": 0.01, "toy fp32": 0.02, "toy bf16": 0.02}
    for modality in TWO:
        with bindrt.load(path, precision="fast", modalities=[modality]) as model:  # type: ignore[list-item]
            model.engine(modality)
    opened = timed(monkeypatch, times)
    with bindrt.load(path, precision="fastest", modalities=TWO) as model:
        assert model.precision == "int8"
        why = model.stats()
        assert number(model) == NUMBERS["int8"]
        assert "took fp32/fp16/bf16 40.0 ms, int8 20.0 ms" in model.stats()["text"]["engine"]["why"]
    assert why == {}
    assert len(opened()) == 2 * 4  # nothing remembered was believed


def test_fastest_beside_other_work(made: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything takes longer and longer: what was measured last loses nothing by it."""
    path = made("fp32", "int8")
    times = {"onnxruntime": 0.2, "toy fp32": 0.03, "toy bf16": 0.011, "toy int8": 0.01}
    timed(monkeypatch, times, busy=lambda now: 1.0 + now)
    with bindrt.load(path, precision="fastest", modalities=TWO) as model:
        assert model.precision == "int8"


def test_fastest_of_one_space_measures_when_used(
    made: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = timed(monkeypatch, {"onnxruntime": 0.02, "toy fp32": 0.03, "toy bf16": 0.01})
    with bindrt.load(made("fp32"), precision="fastest") as model:
        assert opened() == []
        assert number(model) == NUMBERS["bf16"]


def test_a_space_that_does_not_run_is_passed_over(
    made: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made("fp32", "int8")
    times: dict[str, Any] = {"onnxruntime int8": "no", "toy int8": "no", "onnxruntime": 0.2, "toy": 0.1}
    timed(monkeypatch, times)
    with bindrt.load(path, precision="fastest", modalities=TWO) as model:
        assert model.precision in ("fp32", "bf16")
    times |= {"onnxruntime": "no", "toy": "no"}
    with pytest.raises(bindrt.EngineError, match="no precision runs here"):
        bindrt.load(path, precision="fastest", modalities=["audio"])


def test_an_engine_of_the_user_s_own_fixes_the_space(
    made: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made("fp32", "int8")
    timed(monkeypatch, {"onnxruntime": 0.02, "toy": 0.01, "toy int8": 0.001})
    own = {"imu": SimulatedEngine()}  # fp32
    for precision in ("fast", "fastest"):
        with bindrt.load(path, precision=precision, modalities=TWO, engines=own) as model:  # type: ignore[arg-type]
            model.warm_up()
            assert "-float-" in model.space
            assert "fp32" in model.precision
    own["imu"].precision = "int8"
    with pytest.raises(bindrt.OptionError, match="it computes in int8, the model in fp32 or fp16 or bf16"):
        bindrt.load(path, precision="fast", modalities=TWO, engines=own)


def test_where_nothing_can_be_remembered_a_model_measures_once(
    made: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    opened = timed(monkeypatch, {"onnxruntime": 0.02, "toy": 0.01})
    with bindrt.load(made("fp32"), precision="fast") as model:
        model.engine("text")
        model.unload("text")
        model.engine("text")
    assert len(opened()) == 2


@pytest.mark.parametrize(
    "damage",
    [{"seconds": None}, {"chosen": 3}, {"seconds": {"toy bf16": "x"}}, {"key": "of another machine"}],
)
def test_a_damaged_record_is_measured_again(
    made: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, damage: dict[str, Any]
) -> None:
    opened = timed(monkeypatch, {"onnxruntime": 0.02, "toy": 0.01})
    path = made("fp32")
    for _ in range(2):
        with bindrt.load(path, precision="fast") as model:
            model.engine("text")
        (record,) = (tmp_path / "cache/bindrt/choices").iterdir()
        record.write_text(json.dumps({**json.loads(record.read_text()), **damage}))
    assert len(opened()) == 4
    bindrt.doctor()


def records(cache: Path) -> dict[str, Path]:
    """By the beginning of the file's name."""
    return {path.name.partition("-")[0]: path for path in (cache / "bindrt/choices").iterdir()}


@pytest.mark.parametrize(
    "damage", [{"chosen": ["int8"]}, {"chosen": "int4"}, {"chosen": None}, {"key": "of another machine"}]
)
def test_a_damaged_or_foreign_record_of_spaces(
    made: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, damage: dict[str, Any]
) -> None:
    opened = timed(monkeypatch, {"onnxruntime": 0.02, "toy": 0.01, "toy int8": 0.001})
    path = made("fp32", "int8")
    for _ in range(2):
        with bindrt.load(path, precision="fastest", modalities=TWO) as model:
            assert model.precision == "int8"
        record = records(tmp_path / "cache")["spaces"]
        record.write_text(json.dumps({**json.loads(record.read_text()), **damage}))
    assert len(opened()) == 2 * 2 * 4


def test_other_threads_are_measured_anew(made: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    opened = timed(monkeypatch, {"onnxruntime": 0.02, "toy": 0.01, "toy int8": 0.001})
    path = made("fp32", "int8")
    for threads in (1, 1, 2, 2):
        with bindrt.load(path, precision="fastest", modalities=TWO, threads=threads) as model:
            assert model.precision == "int8"
    assert len(opened()) == 2 * 2 * 4


def test_doctor_says_which_space_was_chosen(
    made: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    timed(monkeypatch, {"onnxruntime": 0.02, "toy": 0.01, "toy int8": 0.001})
    bindrt.load(made("fp32", "int8"), precision="fastest", modalities=TWO).close()
    line = (
        "made.bind imu, text fp32/fp16/bf16, int8: int8, since one item of each encoder took fp32/fp16/bf16"
    )
    assert line in str(bindrt.doctor())


openvino_has_bf16 = not ENGINES["openvino"].absence() and not ENGINES["openvino"].lacks("bf16")


@pytest.mark.skipif(not openvino_has_bf16, reason="needs OpenVINO and a processor with bf16 units")
def test_openvino_really_computes_bf16_from_fp32_files(tmp_path: Path) -> None:
    path = bundle_of(tmp_path / "made.bind", open_bundle("tiny").path, "fp32")
    manifest = json.loads((path / "bundle.json").read_text())
    manifest["engines"] += [{**e, "engine": "openvino"} for e in manifest["engines"]]
    (path / "bundle.json").write_text(json.dumps(manifest))
    with (
        bindrt.load(path, engine="openvino") as exact,
        bindrt.load(path, engine="openvino", precision="bf16") as model,
    ):
        assert exact.space == model.space
        one, other = (m.embed(text="a bell ringing").text[0] for m in (exact, model))
        assert float(one @ other) > 0.999
        assert np.abs(one - other).max() > 1e-5


def test_openvino_needs_units_for_bf16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "units", lambda precision: ())
    assert ENGINES["openvino"].lacks("bf16") == "the processor has no bf16 units"
    monkeypatch.setattr(hardware, "units", lambda precision: ("avx512_bf16",))
    assert ENGINES["openvino"].lacks("bf16") == ""


native_has_bf16 = not ENGINES["native"].lacks("bf16")


@pytest.mark.skipif(not native_has_bf16, reason="needs a processor with bf16 units")
def test_native_really_computes_bf16_from_fp32_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with (
        bindrt.load("tiny", engine="onnxruntime") as exact,
        bindrt.load("tiny", precision="bf16") as model,
        bindrt.load("tiny", precision="fast") as fast,
    ):
        one, other, third = (m.embed(text="a bell ringing").text[0] for m in (exact, model, fast))
        assert model.engine("text").name == "native"
        assert exact.space == model.space == fast.space
        assert fast.precision in ("fp32", "bf16")
    assert float(one @ other) > 0.999
    assert np.abs(one - other).max() > 1e-5
    assert float(one @ third) > 0.999

"""``load(engines=…)``: an engine of the user's own, checked at load and watched while it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bindrt
from bindrt.engines.own import watched


class Mine:
    """The sum of each row, then ones."""

    name, device, precision, max_batch = "mine", "cpu", "fp32", 4

    def run(self, inputs: np.ndarray, out: np.ndarray) -> Any:
        out[...] = 1
        out[:, 0] = inputs.reshape(len(inputs), -1).sum(axis=1)


class MineOnGpu(Mine):
    device = "cuda:0"

    def enqueue(self, shape: tuple[int, ...], source: int, target: int, stream: int) -> None:
        raise RuntimeError(f"no kernel for {shape}")


VIEWS = np.random.default_rng(1).normal(size=(9, 6, 2000)).astype(np.float32)


def test_it_computes_in_place_of_the_bundles(small_bundle: Path) -> None:
    with (
        bindrt.load(small_bundle) as plain,
        bindrt.load(small_bundle, engines={"imu": Mine()}, modalities=["imu", "text"]) as model,
    ):
        assert model.engine("imu").name == "mine"
        assert model.engine("text").name != "mine"
        items = [bindrt.Prepared(view) for view in VIEWS]
        rows = model.embed(imu=items, normalize=False).imu
        np.testing.assert_allclose(rows[:, 0], VIEWS.sum(axis=(1, 2)), rtol=1e-3, atol=0.05)
        np.testing.assert_array_equal(rows[:, 1:], 1)
        futures = [model.submit("imu", item, normalize=False) for item in items]
        np.testing.assert_allclose([f.result(60)[0] for f in futures], rows[:, 0], rtol=1e-3, atol=0.05)
        assert model.warm_up() == ("text", "imu")
        assert model.memory()["imu"]["weights"] == 0
        model.unload("imu")
        assert model.engine("imu").name == "mine"
        assert model.space == plain.space
        np.testing.assert_allclose(model.embed(text="a").text, plain.embed(text="a").text, atol=5e-6)


def test_it_needs_no_files_of_the_bundle(small_bundle: Path) -> None:
    """An encoder whose engine is given is not looked for."""
    with pytest.raises(bindrt.EngineError, match="no fp32 files for engine openvino"):
        bindrt.load(small_bundle, engine="openvino", modalities=["imu"])
    model = bindrt.load(small_bundle, engine="openvino", modalities=["imu"], engines={"imu": Mine()})
    with model:
        assert model.embed(imu=bindrt.Prepared(VIEWS[0])).imu.shape == (1, model.embed_dim)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": ""}, "its name is ''; name must be a str"),
        ({"name": 3}, "its name is 3"),
        ({"device": None}, "its device is missing"),
        ({"precision": None}, "its precision is missing"),
        ({"precision": "fp16"}, "it computes in fp16, the model in fp32; load with precision='fp16'"),
        ({"max_batch": 0}, "its max_batch is 0; max_batch must be a whole number, 1 to 65536"),
        ({"max_batch": True}, "max_batch is True"),
        ({"max_batch": 2.0}, "max_batch is 2.0"),
        ({"max_batch": 1 << 17}, "max_batch is 131072"),
        ({"run": None}, "its run is missing; run must be a method"),
        ({"enqueue": 7}, "its enqueue is 7"),
    ],
)
def test_what_it_lacks_is_said_at_load(changes: dict[str, Any], message: str) -> None:
    mine = type("Changed", (Mine,), changes)()
    with pytest.raises(bindrt.OptionError) as caught:
        bindrt.load("tiny", engines={"text": mine})
    assert str(caught.value).startswith("engines['text']: ")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("engines", "message"),
    [
        ({"image": Mine()}, "'image': not an encoder of this model; it has"),
        ({"imu": Mine()}, "not an encoder of this model; it has text"),
        ([Mine()], "a list, not a dict"),
        ({3: Mine()}, "not an encoder"),
    ],
)
def test_encoders_that_the_model_does_not_use(engines: Any, message: str) -> None:
    with pytest.raises(bindrt.OptionError, match=message):
        bindrt.load("tiny", modalities=["text"], engines=engines)


def test_other_names_are_checked_still() -> None:
    for options in ({"engine": "fastest"}, {"device": "tpu"}):
        with pytest.raises(bindrt.OptionError, match="unknown"):
            bindrt.load("tiny", modalities=["text"], engines={"text": Mine()}, **options)  # type: ignore[arg-type]


class OutOfMemoryError(RuntimeError):
    """As torch's, CuPy's and others', which are no MemoryError either."""


class Faulty(Mine):
    def __init__(self, fault: str) -> None:
        self.fault = fault

    def run(self, inputs: np.ndarray, out: np.ndarray) -> Any:
        if self.fault == "raises":
            raise ValueError("two\nlines")
        if self.fault == "memory":
            raise MemoryError("4 GiB")
        if self.fault == "library's memory":
            raise OutOfMemoryError("no room")
        if self.fault == "returns":
            return np.ones_like(out)
        if self.fault == "too few":
            out[:-1] = 1
        if self.fault == "own error":
            raise bindrt.EngineError("mine", "I refuse")
        return None


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("raises", r"engine 'mine' for text, batch \[1, \d+\]: it failed \(ValueError: two lines\)"),
        ("memory", r"it failed \(out of memory: 4 GiB\)"),
        ("library's memory", r"it failed \(out of memory: no room\)"),
        ("returns", "run did not write every row, but returned something"),
        ("too few", "run did not write every row; it must"),
        ("own error", "mine: I refuse"),
    ],
)
def test_its_faults_are_errors_that_name_it(fault: str, message: str) -> None:
    with bindrt.load("tiny", modalities=["text"], engines={"text": Faulty(fault)}) as model:
        with pytest.raises(bindrt.EngineError, match=message):
            model.embed(text="a dog")
        with pytest.raises(bindrt.EngineError, match=message):
            model.submit("text", "a dog").result(60)


@pytest.mark.parametrize(
    "said",
    [
        "MemoryError",
        "OutOfMemoryError: no room",
        "cuBLAS: CUBLAS_STATUS_ALLOC_FAILED",
        "Error Code 2: OutOfMemory (Requested size was 9 bytes.)",
        "CUDA_ERROR_OUT_OF_MEMORY",
        "std::bad_alloc",
    ],
)
def test_memory_is_halved_whatever_library_says_it(said: str) -> None:
    class Small(Mine):
        def run(self, inputs: np.ndarray, out: np.ndarray) -> None:
            if len(inputs) > 1:
                raise MemoryError if said == "MemoryError" else RuntimeError(said)
            out[...] = 1

    with bindrt.load("tiny", modalities=["text"], engines={"text": Small()}) as model:
        model.embed(text=["a dog", "a cat", "a car", "a cow"], normalize=False)
        counts = model.stats()["text"]["pipeline"]
    assert counts["halvings"] >= 1
    assert counts["splits"] == 0


def test_on_a_gpu_it_may_queue_its_work() -> None:
    plain, gpu = watched("text", Mine(), "fp32"), watched("text", MineOnGpu(), "fp32")
    assert not isinstance(plain, bindrt.GpuEngine)
    assert isinstance(gpu, bindrt.GpuEngine)
    with pytest.raises(bindrt.EngineError, match=r"'mine' for text, batch \[2, 77\]: it failed \(RuntimeE"):
        gpu.enqueue((2, 77), 0, 0, 0)

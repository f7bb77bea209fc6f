"""bindrt's own engine on CPUs: encoders as compiled code, from the graphs of ONNX Runtime."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import numpy.typing as npt

from bindrt import _core
from bindrt.engines.kind import EngineKind
from bindrt.engines.native.encoder import EncoderFiles, read_encoder
from bindrt.engines.native.packed import bytes_of, packed_file, packed_key
from bindrt.engines.spec import STARTUPS, EngineSettings, EngineSpec, one_line
from bindrt.errors import BundleError, EngineError, OptionError
from bindrt.extras import reinstall
from bindrt.heldfile import MappedFiles

LOG = logging.getLogger(__name__)

#: What products compute with, by precision. Half precision is widened: its weights are what it means.
NUMBERS = {"fp32": "float32", "fp16": "float32", "bf16": "bf16", "int8": "int8"}
#: Programs of the team: encoders in the background, batches, single items.
BACKGROUND, BATCH, SINGLE = -1, 0, 1


class NativeEngine:
    """One encoder in the native engine.

    Weights are packed once on a machine, and then mapped by every process that opens the encoder.

    Attributes:
        packed: whether the packed weights were found, not made.
    """

    name = "native"
    device = "cpu"

    def __init__(self, spec: EngineSpec, settings: EngineSettings) -> None:
        """Open the graph ``spec.files[0]``, whose weights are in the other files beside it.

        Raises:
            BundleError: the graph is none of bindrt's, or refers to what the bundle does not list for it.
            EngineError: its tensors do not make an encoder.
            OptionError: a device or options that this engine does not have.
        """
        if settings.device not in ("auto", "cpu"):
            raise OptionError(f"device={settings.device!r}", "the engine native has none", "use auto or cpu")
        for option in settings.options:
            raise OptionError(f"engine_options: {str(option)[:60]!r}", "the engine native has no options")
        self.precision = spec.precision
        self.max_batch = spec.cpu_batch()
        self._spec = spec
        self._background = settings.background
        self.threads = settings.threads or _core.native_threads()
        found = read_encoder(spec.files, spec.heads, spec.view)
        self._mapped = MappedFiles(spec.files)
        self._core = self._open(found, self.threads)
        self.packed = self._core.found
        if self._core.out != spec.embed_dim:
            raise BundleError(
                spec.files[0].name,
                f"its vectors have {self._core.out} numbers, the manifest says {spec.embed_dim}",
                "export or copy the bundle again",
            )

    def run(self, inputs: npt.NDArray[np.generic], out: npt.NDArray[np.float32]) -> None:
        self._mapped.require_unchanged()
        result = out if out.flags.c_contiguous else np.empty_like(out, order="C")
        what = f"{self._spec.encoder} batch {list(inputs.shape)}"
        try:
            self._core.run(np.ascontiguousarray(inputs), result, self._priority(len(inputs)))
        except MemoryError:
            raise EngineError(what, "out of memory") from None
        except (ValueError, RuntimeError) as error:
            raise EngineError(what, one_line(error)) from None
        if result is not out:
            out[...] = result

    def _priority(self, rows: int) -> int:
        if self._background:
            return BACKGROUND
        return SINGLE if rows == 1 else BATCH

    def _most_bytes(self) -> int:
        """Bytes that the packed weights may take."""
        return bytes_of(self._spec.files) * (2 if self.precision == "fp16" else 1) + (64 << 20)

    def _open(self, found: EncoderFiles, threads: int) -> _core.NativeEncoder:
        spec, numbers = self._spec, NUMBERS[self.precision]
        key = packed_key(spec.key, numbers, found.config)
        store, problem = packed_file(key, self._most_bytes()) if spec.key else ("", "")
        where = f"{spec.files[0].name} {self.precision}"
        try:
            opened = _core.NativeEncoder(
                found.config, found.files, found.tensors, numbers, store, key, threads
            )
        except ValueError as error:
            raise EngineError(where, one_line(error), "export or copy the bundle again") from None
        except OSError as error:
            raise EngineError(where, f"cannot be read ({error.strerror or error})") from None
        except MemoryError:
            raise EngineError(where, "out of memory") from None
        if problem := problem or opened.problem:
            LOG.warning("%s: its weights are packed at every start, and not shared, since %s", where, problem)
        return opened


def products(module: Any) -> str:
    """The products that run here, and those that would but compute wrong, for ``doctor``."""
    kernels, attention = _core.native_kernels(), _core.native_attention()
    chosen = [f"{k['numbers']} {k['name']}" for k in kernels if k["chosen"]]
    chosen += [f"attention {k['name']}" for k in attention if k["chosen"]]
    wrong = [f"{k['numbers']} {k['name']}" for k in kernels if k["wrong"]]
    wrong += [f"attention {k['name']}" for k in attention if k["wrong"]]
    passed = f"; passed over, since it gives wrong numbers on this processor: {', '.join(wrong)}"
    return ", ".join(chosen) + (passed if wrong else "")


def lacks(precision: str) -> str:
    """Why a precision that files are not of gains nothing here."""
    chosen = [k["name"] for k in _core.native_kernels() if k["chosen"] and k["numbers"] == NUMBERS[precision]]
    return f"the processor has no {precision} units" if chosen == ["portable"] else ""


KIND = EngineKind(
    name="native",
    modules=("bindrt._core",),
    distributions=("bindrt",),
    gives="bindrt's own engine on CPUs; bf16 and int8 at the processor's units",
    remedy=reinstall,
    devices=("cpu",),
    precisions=tuple(NUMBERS),
    open=NativeEngine,
    included=True,
    startups=STARTUPS,
    computes={"fp32": ("bf16",), "fp16": ("bf16",)},
    reads=("onnxruntime", "openvino"),
    first_for=("bf16", "int8"),
    lacks=lacks,
    detail=products,
)

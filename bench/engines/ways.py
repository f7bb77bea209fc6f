"""The ways to compute an encoder that are measured, by the precision they compute in."""

from __future__ import annotations

from dataclasses import dataclass

from bindrt.engines import ENGINES

#: Each is compared with peers of its own precision only.
PRECISIONS = ("fp32", "bf16", "int8")


@dataclass(frozen=True)
class Way:
    """One way.

    Attributes:
        name: for example ``compile-bf16`` or ``bindrt-openvino-int8``.
        precision: of ``PRECISIONS``; of a choice that is left to bindrt, what it is compared with.
        about: how it is done, in a few words.
        engine: of ours, what ``bindrt.load(engine=…)`` gets; empty for a peer.
        asked: of ours, what ``bindrt.load(precision=…)`` gets.
    """

    name: str
    precision: str
    about: str
    engine: str = ""
    asked: str = ""

    @property
    def ours(self) -> bool:
        return bool(self.engine)


PEERS = (
    Way("eager", "fp32", "PyTorch"),
    Way("compile", "fp32", "torch.compile"),
    Way("ort", "fp32", "torch.onnx.export in ONNX Runtime"),
    Way("openvino", "fp32", "torch.onnx.export in OpenVINO"),
    Way("eager-bf16", "bf16", "PyTorch, model.to(torch.bfloat16)"),
    Way("compile-bf16", "bf16", "the same through torch.compile"),
    Way("openvino-bf16", "bf16", "torch.onnx.export in OpenVINO, inference precision bf16"),
    Way("torch-int8", "int8", "torch.ao.quantization.quantize_dynamic"),
    Way("torchao-int8", "int8", "torchao, dynamic int8 activations and weights, torch.compile"),
    Way("ort-int8", "int8", "onnxruntime.quantization.quantize_dynamic"),
    Way(
        "nncf-weights-int8", "int8", "nncf.compress_weights in OpenVINO, which ranges activations as it runs"
    ),
    Way("nncf-int8", "int8", "nncf.quantize in OpenVINO, ranges from sample inputs"),
)


def ours() -> tuple[Way, ...]:
    """Each engine for a CPU in each precision, and what bindrt chooses itself."""
    found = [
        Way(
            f"bindrt-{kind.name}" + ("" if precision == "fp32" else f"-{precision}"),
            *(precision, f"bindrt, engine {kind.name}", kind.name, precision),
        )
        for kind in ENGINES.values()
        if kind.runs_on("cpu")
        for precision in PRECISIONS
    ]
    found.append(Way("bindrt-fast", "bf16", 'bindrt, precision="fast"', "auto", "fast"))
    found.append(Way("bindrt-fastest", "int8", 'bindrt, precision="fastest"', "auto", "fastest"))
    return tuple(sorted(found, key=lambda way: PRECISIONS.index(way.precision)))


#: By name; in each precision peers come first.
WAYS = {way.name: way for p in PRECISIONS for way in (*PEERS, *ours()) if way.precision == p}

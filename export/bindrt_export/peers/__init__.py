"""What a user would use instead of bindrt: the plain model in PyTorch, ONNX Runtime or OpenVINO.

``plain`` makes the plain model from a bundle's float32 weights, and ``runners`` runs it. ``system`` makes a
system of both, which ``bind-bench --against`` measures. pyproject.toml names the providers below as entry
points.
"""

from __future__ import annotations

from typing import Any

from bindrt.benchmark.registry import Provider
from bindrt.benchmark.systems import PlainSystem
from bindrt.extras import install


def _provider(name: str, modules: tuple[str, ...], remedy: str, makes_graphs: bool) -> Provider:
    def open_peer(request: dict[str, Any]) -> PlainSystem:
        from bindrt_export.peers.system import open_system  # imports torch, which may not be installed

        return open_system(name, request)

    return Provider(open_peer, ("torch", "numpy", "onnxruntime", "openvino"), modules, remedy, makes_graphs)


_EXPORT = install("export")
EAGER = _provider("eager", ("torch", "onnx"), _EXPORT, makes_graphs=False)
ORT = _provider("ort", ("torch", "onnx", "onnxscript"), _EXPORT, makes_graphs=True)
OPENVINO = _provider(
    "openvino",
    ("torch", "onnx", "onnxscript", "openvino"),
    install("export", "openvino"),
    makes_graphs=True,
)

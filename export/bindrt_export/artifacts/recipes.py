"""Which artifacts a request asks for beside the encoders' float32 graphs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bindrt_export.artifacts import graph_engine, tensorrt
from bindrt_export.artifacts.cpu_precision import CpuPrecisionRecipe
from bindrt_export.artifacts.graph import EncoderGraph
from bindrt_export.artifacts.store import Recipe
from bindrt_export.precision import supported
from bindrt_export.precision.calibration import Calibration
from bindrt_export.request import ENGINE, PRECISION, EngineRequest

#: Makes an engine's recipes from the graphs of a bundle.
EngineRecipes = Callable[[str, Sequence[EncoderGraph], EngineRequest, Calibration], Sequence[Recipe]]
#: Engines that need files of their own. All others read the graphs; a new one of them needs nothing here.
ENGINE_RECIPES: dict[str, EngineRecipes] = {
    "tensorrt": tensorrt.recipes,
    "tensorrt-rtx": tensorrt.recipes,
}


def precision_recipes(
    graphs: Sequence[EncoderGraph], request: EngineRequest, calibration: Calibration
) -> list[Recipe]:
    """The graphs in the other precisions that ONNX Runtime runs, from the float32 ``graphs``."""
    precisions = [p for p in request.precisions if p != PRECISION and p in supported(ENGINE)]
    return [CpuPrecisionRecipe(g, p, calibration, request.allow) for p in precisions for g in graphs]


def engine_recipes(
    graphs: Sequence[EncoderGraph], request: EngineRequest, calibration: Calibration
) -> list[Recipe]:
    """What the other engines need, from ``graphs`` of all precisions.

    Raises:
        OptionError: an engine is not installed, or cannot be built for as asked.
    """
    made: list[Recipe] = []
    for engine in request.engines:
        recipes = ENGINE_RECIPES.get(engine, graph_engine.recipes)
        made += recipes(engine, graphs, request, calibration)
    return made

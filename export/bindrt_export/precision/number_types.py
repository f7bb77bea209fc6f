"""The number types that an encoder's linears, and everything between them, compute in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bindrt.engines import ENGINES
from bindrt.errors import OptionError
from bindrt_export.precision.survey import Survey

FLOAT = {"fp32": "float32", "fp16": "float16", "bf16": "bfloat16"}
FLOAT16_LARGEST = 65504.0
#: Other inputs than the surveyed ones may be larger by this factor.
HEADROOM = 4.0
#: An int8 linear whose typical output differs by more than this part stays in floats.
TOO_SENSITIVE = 0.08


@dataclass(frozen=True)
class LinearTypes:
    """The types of one linear.

    Attributes:
        weight: ``float32``, ``float16``, ``bfloat16``, ``int8`` or ``float8``; 8-bit ones with a factor per
            output channel.
        activation: type of the product's other side.
        range: the largest magnitude of 8-bit activations, fixed at export; None: every token has its own,
            found as it comes.
    """

    weight: str
    activation: str
    range: float | None = None

    @property
    def is_quantized(self) -> bool:
        return self.activation in ("int8", "float8")


@dataclass(frozen=True)
class EncoderTypes:
    """The types of one encoder in one precision.

    Norms, softmax and the division by the length are float32 always.

    Attributes:
        compute: type of what is between the linears: attention's products, GELU, biases.
        residual: type of the residual stream, the sums that run through all blocks.
        layers: by name of the linear, for example ``blocks.0.mlp.up``.
        kept: linears that the precision does not reach, with the reason.
        powers: by tensor, the power of two that each row is multiplied by. Large channels of a norm's
            output are made smaller by its gain, and the rows of the next linear larger: no result changes.
    """

    precision: str
    compute: str
    residual: str
    layers: Mapping[str, LinearTypes]
    kept: Mapping[str, str] = field(default_factory=dict)
    powers: Mapping[str, Sequence[int]] = field(default_factory=dict)


def choose_types(
    precision: str, linears: Iterable[str], survey: Survey | None, fixed: bool = False, early: int = 0
) -> EncoderTypes:
    """Decide what an encoder computes in.

    Args:
        precision: one of ``bindrt.precisions.PRECISIONS``.
        linears: names of its linears.
        survey: what was measured; only 8-bit precisions and fp16 look at it.
        fixed: activations of int8 with ranges from the survey, else per token. fp8 has them always.
        early: the stem and so many blocks from the first stay in floats.
    """
    names = list(linears)
    if precision in FLOAT:
        kind = FLOAT[precision]
        # bfloat16 has 8 bits: sums over 32 blocks would lose what each block adds.
        narrow = precision == "fp16" and not overflows(survey)
        return EncoderTypes(
            precision, kind, kind if narrow else "float32", {n: LinearTypes(kind, kind) for n in names}
        )
    kind = "int8" if precision == "int8" else "float8"
    fixed = fixed or precision == "fp8"
    kept = reasons_to_keep(names, survey, "int8-fixed" if fixed and precision == "int8" else precision)
    kept |= {
        name: "errors of the first blocks grow in all later ones" for name in names if is_early(name, early)
    }
    layers = {}
    for name in names:
        bound = survey.ranges[name] if survey is not None and fixed else None
        layers[name] = LinearTypes("float16", "float16") if name in kept else LinearTypes(kind, kind, bound)
    residual = "float32" if overflows(survey) else "float16"
    powers = {} if survey is None else survey.powers
    return EncoderTypes(precision, "float16", residual, layers, kept, powers)


def is_early(linear: str, blocks: int) -> bool:
    """Whether a linear belongs to the stem or one of the first ``blocks``; never with 0."""
    first, _, rest = linear.partition(".")
    return blocks > 0 and (first == "stem" or (first == "blocks" and int(rest.split(".")[0]) < blocks))


def overflows(survey: Survey | None) -> bool:
    """Whether the residual stream needs float32; without a survey, to be safe."""
    return survey is None or survey.residual * HEADROOM > FLOAT16_LARGEST


def reasons_to_keep(names: Iterable[str], survey: Survey | None, kind: str) -> dict[str, str]:
    """Linears whose vectors 8 bits would change too much, and why."""
    if survey is None:
        return {}
    errors = {name: survey.errors.get(name, {}).get(kind, 0.0) for name in names}
    return {
        name: f"its typical output would differ by {error:.1%}"
        for name, error in errors.items()
        if not error <= TOO_SENSITIVE  # NaN is too much as well
    }


def supported(engine: str) -> tuple[str, ...]:
    return ENGINES[engine].precisions


def require_supported(engine: str, precision: str) -> None:
    """
    Raises:
        OptionError: naming the engines that can.
    """
    if precision not in supported(engine):
        able = [name for name, kind in ENGINES.items() if precision in kind.precisions]
        raise OptionError(
            f"--engine {engine} --precision {precision}",
            f"{engine} does not run it",
            f"{' and '.join(able)} do; {engine} runs {', '.join(supported(engine))}",
        )

"""The modalities, a file each. ``MODALITIES`` lists them: all else iterates over it.

A modality of one's own is one more file with a :class:`Modality`, and one more line here; docs/adding.md.
"""

from bindrt.modalities.audio import AUDIO
from bindrt.modalities.depth import DEPTH
from bindrt.modalities.image import IMAGE
from bindrt.modalities.imu import IMU
from bindrt.modalities.modality import Modality, Tokens, Views, for_encoder, number_equal
from bindrt.modalities.text import TEXT
from bindrt.modalities.thermal import THERMAL
from bindrt.modalities.video import VIDEO

__all__ = ["MODALITIES", "Modality", "Tokens", "Views", "encoder_names", "for_encoder", "number_equal"]

#: By name, in the order in which results list them.
MODALITIES: dict[str, Modality] = {m.name: m for m in (IMAGE, VIDEO, TEXT, AUDIO, DEPTH, THERMAL, IMU)}


def encoder_names() -> tuple[str, ...]:
    """The encoders that serve the modalities, in their order."""
    return tuple(dict.fromkeys(modality.encoder for modality in MODALITIES.values()))

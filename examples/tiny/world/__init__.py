"""A synthetic world: events of some kinds, each seen, heard, described, measured and felt.

``sample`` draws an event's parameters from a seed; ``picture``, ``frames``, ``depth_map``,
``thermal_frame``, ``sound``, ``motion`` and ``caption`` render them, all from the same parameters.
"""

from tiny.world.captions import caption
from tiny.world.files import write_files
from tiny.world.kinds import KINDS
from tiny.world.motion import IMU_RATE, motion
from tiny.world.scene import Event, Scene, Split, sample
from tiny.world.sound import SOUND_RATE, sound
from tiny.world.views import VIDEO_FPS, VIDEO_SECONDS, depth_map, frames, picture, thermal_frame

__all__ = [
    "IMU_RATE",
    "KINDS",
    "SOUND_RATE",
    "VIDEO_FPS",
    "VIDEO_SECONDS",
    "Event",
    "Scene",
    "Split",
    "caption",
    "depth_map",
    "frames",
    "motion",
    "picture",
    "sample",
    "sound",
    "thermal_frame",
    "write_files",
]

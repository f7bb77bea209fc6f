"""A scene as files of everyday formats, for the product's own decoders."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import PIL.Image
import soundfile

from tiny.world.captions import caption
from tiny.world.motion import IMU_RATE, motion
from tiny.world.scene import Scene
from tiny.world.sound import SOUND_RATE, sound
from tiny.world.views import VIDEO_FPS, depth_map, frames, picture, thermal_frame


def write_files(scene: Scene, folder: Path, stem: str) -> dict[str, Path]:
    """Writes ``STEM.jpg``, ``.mp4``, ``.wav``, ``.depth.png``, ``.thermal.png``, ``.npz``, ``.txt``.

    Returns the path of each modality; depth is 16-bit millimetres, the text is one caption.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = {
        "image": ".jpg", "video": ".mp4", "text": ".txt", "audio": ".wav",
        "depth": ".depth.png", "thermal": ".thermal.png", "imu": ".npz",
    }  # fmt: skip
    paths = {modality: folder / (stem + suffix) for modality, suffix in names.items()}
    PIL.Image.fromarray(picture(scene)).save(paths["image"], quality=92)
    write_video(paths["video"], scene)
    paths["text"].write_text(caption(scene, 0) + "\n", "utf-8")
    soundfile.write(paths["audio"], sound(scene), SOUND_RATE, subtype="PCM_16")
    PIL.Image.fromarray(depth_map(scene)).save(paths["depth"])
    PIL.Image.fromarray(thermal_frame(scene)).save(paths["thermal"])
    np.savez_compressed(paths["imu"], samples=motion(scene), rate=np.float64(IMU_RATE))
    return paths


def write_video(path: Path, scene: Scene) -> None:
    """H.264, which browsers play, where this FFmpeg can write it; else MPEG-4. Without sound."""
    shots = frames(scene)
    with av.open(str(path), "w") as media:
        codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
        stream = media.add_stream(codec, rate=VIDEO_FPS)
        stream.height, stream.width = shots[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = 1_500_000
        for shot in shots:
            media.mux(stream.encode(av.VideoFrame.from_ndarray(shot, format="rgb24")))
        media.mux(stream.encode(None))

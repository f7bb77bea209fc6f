"""``docs/watching.png``: ``bind-stream --serve`` while bind-tiny's world plays, as a browser shows it.

``PYTHONPATH=tests:examples python tools/watch_picture.py`` makes it anew; it takes a minute, and Chromium.
"""

from __future__ import annotations

import argparse
import io
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import PIL.Image

from support.browser import CHROMIUM, Browser
from support.commands import command
from support.recordings import BEGIN, SECOND, Said, image, write_mcap, write_run
from tiny.world import IMU_RATE, KINDS, SOUND_RATE, depth_map, motion, picture, sample, sound, thermal_frame

PICTURE = Path(__file__).resolve().parent.parent / "docs" / "watching.png"
SIZE = 1280, 1520
#: What happens one after the other, and for how many seconds each.
PLAY, EACH = ("bell", "car", "fire", "drum", "train", "clock"), 9.0
#: When the picture is taken, in seconds.
AT = 48.0


def write_world(folder: Path) -> Path:
    """A recording of a microphone, an inertial sensor, a camera, a depth camera and a thermal camera."""
    scenes = [sample(8_000_100 + i, (kind,), "test") for i, kind in enumerate(PLAY)]
    heard = np.concatenate([sound(scene, EACH) for scene in scenes])
    felt = np.concatenate([motion(scene, EACH) for scene in scenes], axis=1)
    write_run(folder / "sensors.mcap", heard, SOUND_RATE, felt, IMU_RATE)
    seen = []
    for tick in range(int(EACH * len(PLAY) * 5)):
        scene, at = scenes[int(tick / 5 / EACH)], tick / 5 % EACH
        for topic, pixels, coding in (
            ("/camera", picture(scene, at), "rgb8"),
            ("/depth", depth_map(scene, at), "16UC1"),
            ("/thermal", thermal_frame(scene, at), "mono8"),
        ):
            seen.append(
                Said(
                    topic, BEGIN + tick * SECOND // 5, image(pixels, coding, stamp=BEGIN + tick * SECOND // 5)
                )
            )
    write_mcap(folder / "cameras.mcap", seen)
    return joined(folder / "world.mcap", folder / "sensors.mcap", folder / "cameras.mcap")


def joined(path: Path, *parts: Path) -> Path:
    """All messages of some MCAP files in one, by time."""
    from mcap.reader import make_reader
    from mcap.writer import Writer

    found = []
    for part in parts:
        with open(part, "rb") as file:
            found += list(make_reader(file).iter_messages())
    with open(path, "wb") as file:
        writer, channels = Writer(file), {}
        writer.start(profile="ros2")
        for schema, channel, message in sorted(found, key=lambda one: one[2].log_time):
            assert schema is not None
            if channel.topic not in channels:
                number = writer.register_schema(schema.name, schema.encoding, schema.data)
                channels[channel.topic] = writer.register_channel(
                    channel.topic, channel.message_encoding, number
                )
            writer.add_message(channels[channel.topic], message.log_time, message.data, message.log_time)
        writer.finish()
    return path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chromium", default=CHROMIUM)
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("-o", "--output", type=Path, default=PICTURE)
    args = parser.parse_args()
    if args.chromium is None:
        print("Chromium is not here; name it with --chromium", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        named = {kind: f"a {kind} {KINDS[kind].doings[0]}" for kind in PLAY}
        prompts = {"prompts": named, "score": "probability", "on": 0.5, "off": 0.4, "hold": 1, "cooldown": 0}
        (folder / "prompts.json").write_text(json.dumps(prompts), "utf-8")
        words = command("bind-stream", write_world(folder), "--bundle", "tiny", "--serve", "--hop", "0.5",
                        "--prompts", folder / "prompts.json", "--topic", "/mic", "--topic", "/imu",
                        "--topic", "/camera", "--topic", "/thermal=thermal")  # fmt: skip
        with (
            subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as playing,
            Browser(folder / "profile", *SIZE, program=args.chromium) as browser,
        ):
            assert playing.stderr is not None
            url = next(found[1] for line in playing.stderr if (found := re.search(r"watch at (\S+)", line)))
            browser.call("Emulation.setDeviceMetricsOverride", width=SIZE[0], height=SIZE[1],
                         deviceScaleFactor=1, mobile=False)  # fmt: skip
            browser.call("Emulation.setScrollbarsHidden", hidden=True)
            browser.dark(args.dark)
            browser.open(url)
            time.sleep(AT)
            shot = PIL.Image.open(io.BytesIO(browser.picture())).convert("RGB")
            playing.kill()
    shot.quantize(256).save(args.output, optimize=True)
    print(f"wrote {args.output}, {args.output.stat().st_size // 1024} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())

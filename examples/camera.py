"""Watches a camera, or any file or address of a video, for what prompts say.

``python examples/camera.py /dev/video0 --prompt "a bell ringing" --prompt "a car driving"``
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import av
from live_prompts import Pace, Printer, page_of, parser, prompts_of

import bindrt


def main(arguments: Sequence[str] | None = None) -> int:
    made = parser(__doc__ or "", "a camera, a file, or an address such as rtsp://…", "/dev/video0")
    made.add_argument("--video", action="store_true", help="windows of 2 s; default: single images")
    made.add_argument("--size", metavar="WxH", help="of a camera's frames, for example 640x480")
    made.add_argument("--fps", metavar="N", help="of a camera")
    args = made.parse_args(arguments)
    try:
        watch(args)
    except bindrt.Error as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def watch(args: argparse.Namespace) -> None:
    prompts = prompts_of(args)
    pace = Pace(args.fast, Path(args.source).is_file(), args.seconds)
    modality = "video" if args.video else "image"
    with page_of(args) as page, bindrt.load(args.bundle) as model:
        printer = Printer(model, prompts, "camera", page)
        live: Any = model.live
        options = {"hop": args.hop, "policy": pace.policy, "on_result": printer.take}
        with (
            live(modality, **options) as stream,  # before the camera, whose frames would wait for the model
            opened(args.source, args.size, args.fps) as frames,
            suppress(KeyboardInterrupt),
        ):
            for frame in frames:
                at = time.monotonic() if frame.time is None else float(frame.time)
                pixels = frame.to_ndarray(format="rgb24")
                if not pace.push(partial(stream.push, pixels, time=at), at):
                    break
                printer.show(bindrt.Image(pixels))
        printer.finish(stream.stats())


@contextmanager
def opened(source: str, size: str | None = None, fps: str | None = None) -> Iterator[Iterator[Any]]:
    """The frames of a source, as FFmpeg gives them.

    A camera of Linux is opened by FFmpeg's v4l2, everything else by what its contents or its address say.

    Raises:
        bindrt.SourceError: it cannot be opened or read, or it has no pictures.
    """
    is_camera = source.startswith("/dev/")
    given = {"video_size": size, "framerate": fps} if is_camera else {}
    options = {name: value for name, value in given.items() if value}
    try:
        container = av.open(source, format="v4l2" if is_camera else None, options=options)
    except (av.error.FFmpegError, ValueError) as error:
        remedy = "name a camera such as /dev/video0, a file, or an address; `ls /dev/video*` lists cameras"
        raise bindrt.SourceError(repr(source), f"it cannot be opened: {_reason(error)}", remedy) from error
    with container:
        if not container.streams.video:
            raise bindrt.SourceError(repr(source), "it has no pictures", "name another source")
        yield _frames(container, source)


def _frames(container: Any, source: str) -> Iterator[Any]:
    try:
        yield from container.decode(video=0)
    except av.error.FFmpegError as error:
        raise bindrt.SourceError(
            repr(source), f"it cannot be read any more: {_reason(error)}", "is the camera still there?"
        ) from error


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


if __name__ == "__main__":
    sys.exit(main())

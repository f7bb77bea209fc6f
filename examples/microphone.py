"""Listens to a microphone, or to a sound file, for what prompts say.

``python examples/microphone.py --prompt "a bell ringing" --prompt "a car driving"``

It needs `sounddevice`, which is an interface to PortAudio: ``pip install '.[microphone]'`` and
``apt install libportaudio2``. A file needs neither.
"""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import soundfile
from live_prompts import Pace, Printer, page_of, parser, prompts_of

import bindrt
from bindrt.extras import install
from bindrt.sources.optional import optional

BLOCK = 0.05  # seconds


def main(arguments: Sequence[str] | None = None) -> int:
    made = parser(__doc__ or "", "a sound file, or a device's number or name", "default")
    made.add_argument(
        "--rate", type=float, metavar="N", help="samples a second of a device; default: its own"
    )
    args = made.parse_args(arguments)
    try:
        with page_of(args) as page, bindrt.load(args.bundle) as model:
            printer = Printer(model, prompts_of(args), "microphone", page)
            listen = listen_to_file if Path(args.source).is_file() else listen_to_device
            printer.finish(listen(args, model, printer))
    except bindrt.Error as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def listen_to_device(args: argparse.Namespace, model: bindrt.Model, printer: Printer) -> dict[str, Any]:
    """Until Ctrl-C or the end of the time; what became of the windows.

    PortAudio calls ``take`` on a thread that must not wait: ``push`` does not.

    Raises:
        bindrt.Error: sounddevice or PortAudio is missing, or the device cannot be opened.
    """
    sounds = _sounddevice()
    device = None if args.source == "default" else _number_or_name(args.source)
    with _device_errors(sounds, args.source):
        told = sounds.query_devices(device, "input")
    rate, channels = args.rate or told["default_samplerate"], min(told["max_input_channels"], 2)
    overflows = 0
    live: Any = model.live
    with live("audio", rate=rate, channels=channels, hop=args.hop, on_result=printer.take) as stream:

        def take(block: Any, frames: int, times: Any, status: Any) -> None:
            nonlocal overflows
            overflows += bool(status.input_overflow)
            stream.push(block.T, time=times.inputBufferAdcTime or None)
            printer.show(bindrt.Audio(block.T, rate=rate))

        options = {"device": device, "channels": channels, "dtype": "float32", "callback": take}
        with _device_errors(sounds, args.source):
            opened = sounds.InputStream(samplerate=rate, blocksize=round(BLOCK * rate), **options)
        with opened, suppress(KeyboardInterrupt):
            print(f"listening to {told['name']}; Ctrl-C ends it", flush=True)
            threading.Event().wait(args.seconds)
    if overflows:
        print(f"the device lost samples {overflows} times")
    return dict(stream.stats())


def listen_to_file(args: argparse.Namespace, model: bindrt.Model, printer: Printer) -> dict[str, Any]:
    """The file as if a microphone gave it; what became of the windows.

    Raises:
        bindrt.SourceError: it cannot be read.
    """
    pace = Pace(args.fast, True, args.seconds)
    options = {"hop": args.hop, "policy": pace.policy, "on_result": printer.take}
    live: Any = model.live
    try:
        with (
            soundfile.SoundFile(args.source) as file,
            live("audio", rate=file.samplerate, channels=file.channels, **options) as stream,
            suppress(KeyboardInterrupt),
        ):
            at = 0.0
            for block in file.blocks(round(BLOCK * file.samplerate), dtype="float32", always_2d=True):
                if not pace.push(partial(stream.push, block.T, time=at), at):
                    break
                printer.show(bindrt.Audio(block.T, rate=file.samplerate))
                at += len(block) / file.samplerate
    except soundfile.SoundFileError as error:
        raise bindrt.SourceError(
            repr(args.source), f"it cannot be read: {error}", "name a sound file"
        ) from error
    return dict(stream.stats())


def _sounddevice() -> Any:
    """The library.

    Raises:
        bindrt.Error: it is not installed, or PortAudio is missing.
    """
    try:
        return optional("sounddevice", "sounddevice", "microphones", install("microphone"))
    except OSError as error:
        raise bindrt.Error("PortAudio", f"it is missing: {error}", "apt install libportaudio2") from error


@contextmanager
def _device_errors(sounds: Any, source: str) -> Iterator[None]:
    """Raises bindrt.SourceError for what PortAudio says of a device."""
    try:
        yield
    except (sounds.PortAudioError, ValueError) as error:
        remedy = "`python -m sounddevice` lists the devices; name one by its number"
        raise bindrt.SourceError(f"device {source}", f"it cannot be opened: {error}", remedy) from error


def _number_or_name(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


if __name__ == "__main__":
    sys.exit(main())

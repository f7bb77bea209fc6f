"""Small recordings that would cost much: tables that claim too much, tiny packets of large pictures."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from typing import Any

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from support.tables import avi, box, full, matroska, movie, numbers


def still(count: int, width: int, height: int, container: str = "mp4", **options: str) -> bytes:
    """A black picture shown so many times: frames of some 30 bytes."""
    out = io.BytesIO()
    with av.open(out, "w", format=container) as media:
        settings = {
            "preset": "ultrafast",
            "g": "999999",
            "bf": "0",
            "crf": "45",
            "sc_threshold": "0",
            **options,
        }
        stream: Any = media.add_stream("libx264", rate=25, options={**settings, **options})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        frame = av.VideoFrame(width, height, "yuv420p")
        for plane, value in zip(frame.planes, (16, 128, 128), strict=True):
            plane.update(bytes([value]) * plane.buffer_size)
        for number in range(count):
            frame.pts = number
            media.mux(stream.encode(frame))
        media.mux(stream.encode(None))
    return out.getvalue()


def ivf(count: int, side: int = 16, codec: bytes = b"VP80", frame: bytes = b"\1") -> bytes:
    head = b"DKIF" + struct.pack("<HH4sHHIIII", 0, 32, codec, side, side, 25, 1, count, 0)
    return head + b"".join(struct.pack("<IQ", len(frame), n) + frame for n in range(count))


def flv(count: int) -> bytes:
    """Tags of one byte of video, of a codec whose frames are never whole."""
    tag = b"\x09" + (6).to_bytes(3, "big") + bytes(7) + b"\x12" + bytes(5) + (17).to_bytes(4, "big")
    return b"FLV\1\1" + (9).to_bytes(4, "big") + bytes(4) + tag * count


def transport(count: int) -> bytes:
    """An MPEG-TS of a good beginning, then packets that carry a byte each."""
    good = bytearray(still(3, 64, 48, "mpegts"))
    video = next(p for p in range(0, len(good), 188) if good[p + 1] & 0x40 and good[p + 4 :][:1] and p > 400)
    head = bytes(good[video : video + 4])
    padded = bytes([head[0], head[1] & 0x1F, head[2], 0x30, 182, 0]) + b"\xff" * 181 + b"\0"
    return bytes(good) + padded * count


def two_rates() -> bytes:
    samples = np.full((6, 2000), 3e38, np.float32)
    out = io.BytesIO()
    np.savez(out, samples=samples, rate=200.0)
    return out.getvalue()


def packed_table(rows: int) -> bytes:
    """A Parquet file of so many zeros in each column."""
    zeros = pa.array(np.zeros(rows, np.float32))
    out = io.BytesIO()
    pq.write_table(pa.table(dict.fromkeys(["t", "ax", "ay", "az", "gx", "gy", "gz"], zeros)), out)
    return out.getvalue()


MANY = 80_000_000
FRAGMENT = box(b"moof", box(b"traf", full(b"trun", numbers(MANY))))
MAKERS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "codec without a size": ("video", lambda: movie(20, 40)),
    "samples of a byte": ("video", lambda: movie(5_000_000, 1, scale=10**6, chunks=5000)),
    "samples of a byte, as sound": (
        "audio",
        lambda: movie(5_000_000, 1, 10**6, 5000, handler=b"soun", step=2),
    ),
    "sizes beyond the end": ("video", lambda: movie(20, 0, stsz=numbers(0, MANY))),
    "chunks beyond the end": ("video", lambda: movie(20, 40, extra=[full(b"stco", numbers(MANY))])),
    "as many samples as bytes": ("video", lambda: movie(100_000, 1, chunks=100, data=bytes(100_000))),
    "runs of a fragment": (
        "video",
        lambda: movie(20, 40) + box(b"moof", box(b"traf", full(b"trun", numbers(MANY)))),
    ),
    "sound in endless chunks": ("audio", lambda: movie(20, 1, chunks=5, handler=b"soun", per_chunk=2**31)),
    "a million frames a second": ("video", lambda: movie(1000, 1, scale=10**6, data=bytes(2000))),
    "laced blocks": ("video", lambda: matroska(20_000, laced=256)),
    "laced blocks, as sound": ("audio", lambda: matroska(20_000, laced=256, codec=b"A_VORBIS")),
    "small blocks": ("video", lambda: matroska(300_000)),
    "blocks of an unknown codec": ("video", lambda: matroska(5_000, codec=b"V_QUICKTIME")),
    "an index of one packet": ("video", lambda: avi(400_000)),
    "an index of indices": ("video", lambda: avi(20_000, supers=2000)),
    "frames of a byte, AVI": ("video", lambda: avi(300_000, size=1, data=300_000)),
    "frames of a byte, IVF": ("video", lambda: ivf(300_000)),
    "frames of a byte, FLV": ("video", lambda: flv(200_000)),
    "packets of a byte, MPEG-TS": ("video", lambda: transport(30_000)),
    "large still, long": ("video", lambda: still(1500, 4096, 2176)),
    "large still": ("video", lambda: still(400, 4096, 2176)),
    "large still, AVI": ("video", lambda: still(400, 4096, 2176, "avi")),
    "huge still": ("video", lambda: still(12, 9216, 9216)),
    "huge still, many references": ("video", lambda: still(24, 9216, 9216, refs="16")),
    "still in 5K, many references": ("video", lambda: still(24, 5120, 2880, refs="16")),
    "still in 8K, many references": ("video", lambda: still(24, 7680, 4320, refs="16")),
    "huge VP8": ("video", lambda: ivf(100, 9400, frame=b"\x10\0\0\x9d\1\x2a\xb8\x24\xb8\x24" + bytes(30))),
    "boxes of protection": (
        "video",
        lambda: movie(20, 40, extra=[full(b"pssh", bytes(16), numbers(0)) * 300_000]),
    ),
    "a table of zeros": ("imu", lambda: packed_table(30_000_000)),
    "samples beyond any sensor": ("imu", two_rates),
}

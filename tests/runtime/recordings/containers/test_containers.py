"""Every container gives the messages that the real library wrote into it, in the order of their times."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mcap.writer
import numpy as np
import pytest

import bindrt
from bindrt.recordings import Recording, is_recording
from bindrt.recordings.containers import in_order, open_container
from bindrt.recordings.raw import RawMessage, Topic
from bindrt.recordings.report import Report
from support.recordings import BEGIN, SECOND, Said, make, write_bag1, write_bag2, write_mcap

#: How many messages of inertial samples the recordings have.
COUNT = 300


def said(version: int) -> Iterator[Said]:
    """Samples of an IMU, a text of an unknown type now and then, and a message that was recorded late."""
    for i in range(COUNT):
        time = BEGIN + i * SECOND // 100
        sample = make(
            "sensor_msgs/msg/Imu", version, stamp=time - 5_000_000,
            linear_acceleration__x=float(i), linear_acceleration__z=9.81, angular_velocity__y=0.5,
        )  # fmt: skip
        # Every tenth is recorded before the one before it: writers do not sort.
        yield Said("/imu", time - (15_000_000 if i % 10 == 9 else 0), sample)
        if i % 50 == 0:
            yield Said("/mood", time, make("robot_msgs/msg/Mood", version, text="fine"))


def mcap_of(**options: Any) -> Callable[[Path], Path]:
    return lambda folder: write_mcap(folder / "run.mcap", said(2), **options)


def plain_mcap_of(**options: Any) -> Callable[[Path], Path]:
    """By ``mcap.writer`` itself, which can leave out chunks, the index and repeated channels."""

    def write(folder: Path) -> Path:
        from support.recordings import store

        path = folder / "run.mcap"
        with open(path, "wb") as file:
            writer = mcap.writer.Writer(file, chunk_size=1 << 12, **options)
            writer.start()
            channels: dict[str, int] = {}
            for one in said(2):
                kind = one.message.__msgtype__
                if one.topic not in channels:
                    text, _ = store(2).generate_msgdef(kind, ros_version=2)
                    schema = writer.register_schema(kind, "ros2msg", text.encode())
                    channels[one.topic] = writer.register_channel(one.topic, "cdr", schema)
                data = bytes(store(2).serialize_cdr(one.message, kind))
                writer.add_message(channels[one.topic], one.time, data, one.time)
            writer.finish()
        return path

    return write


_BARE = {
    "index_types": mcap.writer.IndexType.NONE, "repeat_channels": False, "repeat_schemas": False,
    "use_statistics": False, "use_summary_offsets": False,
}  # fmt: skip
KINDS: dict[str, Callable[[Path], Path]] = {
    "mcap zstd": mcap_of(chunk_size=1 << 12),
    "mcap lz4": mcap_of(chunk_size=1 << 12, compression=mcap.writer.CompressionType.LZ4),
    "mcap plain": mcap_of(chunk_size=1 << 12, compression=mcap.writer.CompressionType.NONE),
    "mcap without chunks": plain_mcap_of(use_chunking=False),
    "mcap without index": plain_mcap_of(**_BARE),
    "mcap without chunks and index": plain_mcap_of(use_chunking=False, **_BARE),
    "bag": lambda folder: write_bag1(folder / "run.bag", said(1)),
    "bag bz2": lambda folder: write_bag1(folder / "run.bag", said(1), "bz2"),
    "bag lz4": lambda folder: write_bag1(folder / "run.bag", said(1), "lz4"),
    "folder of db3": lambda folder: write_bag2(folder / "run", said(2)),
    "folder of db3, version 8": lambda folder: write_bag2(folder / "run", said(2), version=8),
    "folder of mcap": lambda folder: write_bag2(folder / "run", said(2), "mcap"),
    "db3 alone": lambda folder: next(write_bag2(folder / "run", said(2)).glob("*.db3")),
}


@pytest.mark.parametrize("kind", KINDS)
def test_all_messages_in_order(kind: str, tmp_path: Path) -> None:
    path = KINDS[kind](tmp_path)
    assert is_recording(path)
    with Recording(path) as recording:
        assert recording.readable() == {"/imu": ("imu",)}
        samples = list(recording.samples())
    assert [s.recorded for s in samples] == sorted(s.recorded for s in samples)
    assert sorted(s.data.acc[0] for s in samples) == list(range(COUNT))
    by_number = {int(s.data.acc[0]): s for s in samples}
    assert by_number[7].time == pytest.approx(BEGIN / SECOND + 0.07 - 0.005, abs=1e-6)
    assert by_number[9].recorded == BEGIN + 9 * SECOND // 100 - 15_000_000
    np.testing.assert_array_equal(by_number[3].data.gyro, [0, 0.5, 0])
    assert recording.report.read == {"/imu": COUNT}
    assert recording.report.unknown == {("/mood", _type(kind)): 6}
    assert recording.report.lines() == [f"/mood: 6 messages of type {_type(kind)} were passed over"]


def _type(kind: str) -> str:
    return "robot_msgs/Mood" if kind.startswith("bag") else "robot_msgs/msg/Mood"


@pytest.mark.parametrize("kind", ["mcap zstd", "mcap without chunks", "mcap without index", "bag", "bag lz4"])
def test_a_file_that_was_cut_is_read_up_to_the_cut(kind: str, tmp_path: Path) -> None:
    whole = KINDS[kind](tmp_path).read_bytes()
    counts = []
    for share in (0.0, 0.02, 0.1, 0.3, 0.5, 0.8, 0.95, 0.999):
        cut = tmp_path / f"cut{'.bag' if 'bag' in kind else '.mcap'}"
        cut.write_bytes(whole[: max(int(len(whole) * share), 16)])
        with Recording(cut) as recording:
            samples = list(recording.samples())
        assert "ends" in recording.report.cut, share
        assert "read up to there" in recording.report.lines()[0]
        counts.append(len(samples))
    assert counts == sorted(counts)
    assert counts[0] == 0
    assert counts[-1] == COUNT  # only the index is missing
    assert 0.2 * COUNT < counts[4] < 0.8 * COUNT or "bag" in kind


@pytest.mark.parametrize(
    ("kind", "name"), [("mcap zstd", b"zstd"), ("mcap lz4", b"lz4"), ("bag bz2", b"compression=bz2")]
)
def test_a_damaged_chunk_costs_only_its_messages(kind: str, name: bytes, tmp_path: Path) -> None:
    path = KINDS[kind](tmp_path)
    data = bytearray(path.read_bytes())
    at = data.index(name, len(data) // 3) + 60  # within the chunk's packed messages
    data[at : at + 16] = bytes(16)
    path.write_bytes(data)
    with Recording(path) as recording:
        samples = list(recording.samples())
    assert recording.report.damaged >= 1
    assert any("damaged chunk" in line for line in recording.report.lines())
    assert 0.3 * COUNT < len(samples) < COUNT


@pytest.mark.parametrize("kind", ["mcap zstd", "mcap without chunks", "bag", "folder of db3"])
def test_any_damage_ends_in_an_error_or_a_report(kind: str, tmp_path: Path) -> None:
    path = KINDS[kind](tmp_path)
    file = path if path.is_file() else next(path.glob("*.db3"))
    whole = file.read_bytes()
    rng = np.random.default_rng(1)
    for _ in range(40):
        data = bytearray(whole)
        for place in rng.integers(0, len(data), 8):
            data[place] = rng.integers(256)
        file.write_bytes(data)
        try:
            with Recording(path) as recording:
                samples = list(recording.samples())
        except bindrt.Error:
            continue
        assert len(samples) <= COUNT


def test_sizes_that_lie_cost_no_memory(tmp_path: Path) -> None:
    path = KINDS["mcap zstd"](tmp_path)
    data = bytearray(path.read_bytes())
    place = data.index(b"zstd") - 4 - 4 - 8  # the unpacked size of the first chunk
    data[place : place + 8] = (1 << 40).to_bytes(8, "little")
    path.write_bytes(data)
    tracemalloc.start()
    try:
        with Recording(path) as recording:
            samples = list(recording.samples())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert recording.report.damaged == 1
    assert 0 < len(samples) < COUNT
    assert peak < 16 << 20


@pytest.mark.parametrize("length", [1 << 33, 1 << 62, (1 << 64) - 1])
def test_a_record_that_is_longer_than_the_file(length: int, tmp_path: Path) -> None:
    path = tmp_path / "run.mcap"
    path.write_bytes(b"\x89MCAP0\r\n" + bytes([6]) + length.to_bytes(8, "little") + bytes(100))
    with Recording(path) as recording:
        assert list(recording.samples()) == []
    assert "in a chunk at byte 8" in recording.report.cut


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    import zstandard

    from bindrt.recordings.containers.bounded import DamageError, unpack

    bomb = zstandard.compress(bytes(1 << 28))
    tracemalloc.start()
    try:
        with pytest.raises(DamageError, match="says 1000"):
            unpack("zstd", bomb, 1000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20


def test_what_is_no_recording(tmp_path: Path) -> None:
    empty, other, folder = tmp_path / "empty.mcap", tmp_path / "other.mcap", tmp_path / "folder"
    empty.touch()
    other.write_bytes(b"hello, this is no recording")
    folder.mkdir()
    for path, message in (
        (empty, "it is empty"),
        (other, "it is no recording"),
        (folder, "no .db3 or .mcap"),
        (tmp_path / "missing.bag", "it does not exist"),
    ):
        assert not is_recording(path)
        with pytest.raises(bindrt.SourceError, match=message):
            Recording(path)


def test_memory_does_not_grow_with_the_recording(tmp_path: Path) -> None:
    def peak(seconds: int) -> int:
        path = tmp_path / f"{seconds}.mcap"
        blob = np.zeros(20_000, np.uint8)
        blobs = (
            Said(
                "/image",
                BEGIN + i * SECOND // 10,
                make("sensor_msgs/msg/CompressedImage", format="jpeg", data=blob),
            )
            for i in range(10 * seconds)
        )
        write_mcap(path, blobs, chunk_size=1 << 16, compression=mcap.writer.CompressionType.NONE)
        tracemalloc.start()
        try:
            with Recording(path) as recording:
                count = sum(1 for _ in recording.samples())
            return tracemalloc.get_traced_memory()[1] if count == 10 * seconds else -1
        finally:
            tracemalloc.stop()

    short, long = peak(10), peak(100)
    assert 0 < short < 1 << 20
    assert long - short < 90 * 10 * 20_000 / 50  # where its chunks are, not what they hold


def test_chunks_that_all_overlap_are_refused() -> None:
    topic = Topic("/t", "x", "cdr")
    pieces = [
        in_order.Piece(0, lambda: [RawMessage(topic, 5, bytes(1000)), RawMessage(topic, 9, bytes(1000))])
        for _ in range(10)
    ]
    assert len(list(in_order.in_order(pieces, "run", most=1 << 20))) == 20
    with pytest.raises(bindrt.LimitError, match="overlap in time; sort it"):
        list(in_order.in_order(pieces, "run", most=10_000))


def test_a_sqlite_file_that_is_cut(tmp_path: Path) -> None:
    path = KINDS["db3 alone"](tmp_path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2 // 4096 * 4096])
    report = Report()
    try:
        container = open_container(path, report)
    except bindrt.SourceError:
        return
    messages = list(container.messages(container.topics(), lambda topic, count: None))
    container.close()
    assert len(messages) < COUNT + 6
    assert "damaged" in report.cut

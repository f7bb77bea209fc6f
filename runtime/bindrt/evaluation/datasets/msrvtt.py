"""MSR-VTT: texts find videos, by what is seen, by what is heard, or by both."""

from __future__ import annotations

from pathlib import Path

from bindrt.evaluation.entries import Entry, text
from bindrt.evaluation.folders import VIDEOS, Folder
from bindrt.evaluation.sets import Dataset, Pairs, Published


def read(folder: Folder) -> Pairs:
    rows = list(folder.rows("MSRVTT_JSFUSION_test.csv", columns=("video_id", "sentence")))
    files = folder.by_stem(folder.first("videos", "MSRVTT/videos", "videos/all"), VIDEOS)
    found = folder.there(
        (row, files.get(row["video_id"], folder.path / f"{row['video_id']}.*")) for row in rows
    )
    paths = [path for _, path in found]
    return Pairs(
        queries=tuple(text(row["sentence"]) for row, _ in found),
        wanted=tuple(range(len(found))),
        items={
            "video": tuple(Entry(path.stem, "video", str(path)) for path in paths),
            "audio": tuple(
                Entry(path.stem, "audio", str(path)) if _is_heard(path) else None for path in paths
            ),
        },
        sums=({"video": 1.0}, {"video": 0.5, "audio": 0.5}, {"audio": 1.0}),
    )


def _is_heard(path: Path) -> bool:
    """Whether a video has sound; what cannot be opened is told when it is embedded."""
    import av

    try:
        with av.open(str(path)) as media:
            return bool(media.streams.audio)
    except (av.FFmpegError, OSError):
        return True


DATASET = Dataset(
    name="msrvtt",
    title="MSR-VTT",
    what="a text finds its video among the 1000 of the split 1k-A: seen, heard, or both",
    layout="MSRVTT_JSFUSION_test.csv and videos/*.mp4",
    where="https://www.robots.ox.ac.uk/~maxbain/frozen-in-time/data/MSRVTT.zip",
    published=(
        Published("R@1 video", 36.1),
        Published("R@1 0.5 video + 0.5 audio", 36.8),
        Published("R@1 audio", 6.8),
    ),
    read=read,
    questions=1000,
    notes=(
        "The paper does not tell the weights of video and audio; --weight sets others.",
        "The vector of a video without sound is that of what is seen.",
    ),
)

"""AudioCaps: sounds of AudioSet with captions."""

from __future__ import annotations

from pathlib import Path

from bindrt.evaluation.datasets.audioset import file_of
from bindrt.evaluation.entries import Entry
from bindrt.evaluation.folders import SOUNDS, Folder
from bindrt.evaluation.sets import Dataset, Pairs, Published

_LISTS = ("final_filtered_test_list.txt", "test_list.txt")


def read(folder: Folder) -> Pairs:
    rows = list(folder.rows("test.csv", columns=("youtube_id", "start_time", "caption")))
    by_clip: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        by_clip.setdefault(row["youtube_id"], []).append(row)
    wanted = _listed(folder.first(*_LISTS))
    if unknown := [clip for clip in wanted if clip not in by_clip]:
        raise folder.not_as_published(folder.path / "test.csv", f"it has no caption of {unknown[0]!r}")
    files = folder.by_stem(folder.path, SOUNDS)
    found = folder.there(
        (clip, file_of(folder, files, clip, by_clip[clip][0]["start_time"])) for clip in wanted
    )
    return Pairs.of_captions(
        "audio",
        (
            (Entry(clip, "audio", str(path)), [row["caption"] for row in by_clip[clip]])
            for clip, path in found
        ),
    )


def _listed(path: Path) -> list[str]:
    """The clips of the split, a line each, with or without a Y before and seconds after."""
    names = [line.strip() for line in path.read_text("utf-8").splitlines() if line.strip()]
    return [name[1:12] if len(name) > 11 and name.startswith("Y") else name[:11] for name in names]


DATASET = Dataset(
    name="audiocaps",
    title="AudioCaps",
    what="captions find their sound among the 796 of the retrieval benchmark's test split",
    layout="test.csv, final_filtered_test_list.txt (clips of the split) and a sound file a clip",
    where="https://github.com/cdjkim/audiocaps and https://github.com/oncescuandreea/audio-retrieval",
    published=(Published("R@1", 9.3), Published("R@10", 42.3)),
    read=read,
)

"""The layouts of data sets of sounds: ESC-50, AudioSet, VGGSound, Clotho, AudioCaps."""

from __future__ import annotations

from pathlib import Path

from support.datasets.made import Made
from support.datasets.scenes import NAMES, scenes, write_sound, write_table
from tiny.world import caption

_ESC50 = ("filename", "fold", "target", "category", "esc10", "src_file", "take")


def esc50(folder: Path, kinds: int = 4, each: int = 5) -> Made:
    """``each`` sounds of some kinds in five folds, named FOLD-SOURCE-TAKE-TARGET.wav."""
    rows, items, truth, folds = [], [], [], []
    for at, (scene, kind) in enumerate(scenes(kinds, each)):
        fold = at // kinds % 5 + 1
        name = f"{fold}-{100000 + at}-A-{7 * kind}.wav"
        items.append(write_sound(folder / "audio" / name, scene))
        rows.append((name, fold, 7 * kind, f"a_{NAMES[kind]}", kind < 2, 100000 + at, "A"))
        truth.append((f"a {NAMES[kind]}",))
        folds.append(fold)
    write_table(folder / "meta/esc50.csv", [_ESC50, *rows])
    classes = {f"a {name}": (f"a {name}",) for name in NAMES[:kinds]}
    return Made(folder, "audio", items, truth, items[5], classes, folds)


def audioset(folder: Path, kinds: int = 4, each: int = 3) -> Made:
    """Three lines of comments, mids in quotes, and a comma and a space between fields."""
    mids = [f"/m/0{chr(97 + n)}x1_" for n in range(kinds)]
    rows = [(n, mid, NAMES[n]) for n, mid in enumerate(mids)]
    write_table(folder / "class_labels_indices.csv", [("index", "mid", "display_name"), *rows])
    lines = ["# Segments csv created Sun Mar  5 10:54:31 2017", "# num_ytids=16, num_segs=16",
             "# YTID, start_seconds, end_seconds, positive_labels"]  # fmt: skip
    items, truth = [], []
    for at, (scene, kind) in enumerate(scenes(kinds, each)):
        video = f"-vid{at:02d}_{'abcd'}"
        also = (kind + 1) % kinds if at % 3 == 0 else None
        said = [kind] if also is None else [kind, also]
        lines.append(f'{video}, {30 * at}.000, {30 * at + 10}.000, "{",".join(mids[n] for n in said)}"')
        names = (video, f"Y{video}", f"{video}_{30 * at}", f"{video}_{30_000 * at}")
        items.append(write_sound(folder / "audio/eval" / f"{names[at % 4]}.wav", scene))
        truth.append(tuple(NAMES[n] for n in said))
    (folder / "eval_segments.csv").write_text("\n".join(lines) + "\n", "utf-8")
    return Made(folder, "audio", items, truth, items[3], {name: (name,) for name in NAMES[:kinds]})


def vggsound(folder: Path, kinds: int = 3, each: int = 3) -> Made:
    """No heading; labels with a comma stand in quotes; clips of the training part need not be there."""
    rows: list[tuple[object, ...]] = [("trained-on-1", 5, NAMES[0], "train")]
    labels = [f"{name}, sounding" if n == 1 else name for n, name in enumerate(NAMES[:kinds])]
    items, truth = [], []
    for at, (scene, kind) in enumerate(scenes(kinds, each)):
        rows.append((f"vgg_{at:02d}-abcd", 10 * at, labels[kind], "test"))
        items.append(write_sound(folder / "audio" / f"vgg_{at:02d}-abcd_{10 * at:06d}.wav", scene))
        truth.append((labels[kind],))
    write_table(folder / "vggsound.csv", rows)
    return Made(folder, "audio", items, truth, items[2], {label: (label,) for label in labels})


def clotho(folder: Path, each: int = 1) -> Made:
    """Five captions a sound; names of files have spaces."""
    rows: list[tuple[str, ...]] = [("file_name", *(f"caption_{n}" for n in range(1, 6)))]
    items, truth = [], []
    for at, (scene, _) in enumerate(scenes(6, each)):
        said = tuple(caption(scene, n) for n in range(5))
        rows.append((f"A sound {at}, outside.wav", *said))
        items.append(write_sound(folder / "evaluation" / rows[-1][0], scene))
        truth.append(said)
    write_table(folder / "clotho_captions_evaluation.csv", rows)
    return Made(folder, "audio", items, truth, items[1])


def audiocaps(folder: Path, each: int = 2) -> Made:
    """Captions of more clips than the split has."""
    rows: list[tuple[object, ...]] = [("audiocap_id", "youtube_id", "start_time", "caption")]
    items, truth, listed = [], [], []
    for at, (scene, _) in enumerate(scenes(6, each)):
        clip, said = f"cap{at:02d}_abcde", tuple(caption(scene, n) for n in range(1 + at % 5))
        rows += [(1000 + 10 * at + n, clip, 30, words) for n, words in enumerate(said)]
        if at == 3:
            continue  # in VGGSound too: not in the split, and not copied
        listed.append(clip)
        items.append(write_sound(folder / "audio/test" / f"{clip}.wav", scene))
        truth.append(said)
    write_table(folder / "test.csv", rows)
    (folder / "final_filtered_test_list.txt").write_text("\n".join(listed) + "\n", "utf-8")
    return Made(folder, "audio", items, truth, items[0])

"""The layouts of data sets of pictures and videos: ImageNet, Places365, Kinetics-400, MSR-VTT."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np

from support.datasets.made import Made
from support.datasets.scenes import NAMES, scenes, write_picture, write_table
from tiny.world import SOUND_RATE, VIDEO_FPS, Scene, caption, frames, sound


def imagenet(folder: Path, each: int = 3) -> Made:
    """A folder a synset, and CLIP's names."""
    synsets = ("n00000003", "n00000001", "n00000002")
    items, truth = [], []
    for at, (scene, kind) in enumerate(scenes(3, each)):
        name = f"{synsets[kind]}/ILSVRC2012_val_{at:08d}.JPEG"
        items.append(write_picture(folder / "val" / name, scene))
        truth.append((NAMES[kind],))
    lines = [f"{synset} {NAMES[n]}" for n, synset in enumerate(synsets)]
    (folder / "classnames.txt").write_text("\n".join(lines) + "\n", "utf-8")
    return Made(folder, "image", items, truth, folder / "val" / synsets[0], {n: (n,) for n in NAMES[:3]})


def imagenet_of_kaggle(folder: Path, each: int = 2) -> Made:
    """All pictures in one folder, a table, and synsets with several names."""
    made = imagenet(folder, each)
    rows, items = [("ImageId", "PredictionString")], []
    pictures = folder / "ILSVRC/Data/CLS-LOC/val"
    pictures.mkdir(parents=True)
    for path in made.items:
        rows.append((path.stem, f"{path.parent.name} 10 20 30 40 "))
        items.append(path.rename(pictures / path.name))
    write_table(folder / "LOC_val_solution.csv", rows)
    for each_folder in (folder / "val").iterdir():
        each_folder.rmdir()
    (folder / "val").rmdir()
    lines = (folder / "classnames.txt").read_text("utf-8").splitlines()
    (folder / "LOC_synset_mapping.txt").write_text("\n".join(f"{line}, something else" for line in lines))
    (folder / "classnames.txt").unlink()
    return Made(folder, "image", items, made.truth, items[0], made.classes)


def places365(folder: Path, each: int = 3) -> Made:
    """Categories with numbers, one of them with a part."""
    names = ("/b/ball", "/c/car_park/indoor", "/b/bird_house")
    said = ("ball", "indoor car park", "bird house")
    (folder / "categories_places365.txt").write_text(
        "".join(f"{n} {i}\n" for i, n in enumerate(names)), "utf-8"
    )
    lines, items, truth = [], [], []
    for at, (scene, kind) in enumerate(scenes(3, each)):
        name = f"Places365_val_{at + 1:08d}.jpg"
        lines.append(f"{name} {kind}\n")
        items.append(write_picture(folder / "val_256" / name, scene))
        truth.append((names[kind],))
    (folder / "places365_val.txt").write_text("".join(lines), "utf-8")
    classes = {name: (words,) for name, words in zip(names, said, strict=True)}
    return Made(folder, "image", items, truth, items[4], classes)


def write_film(path: Path, scene: Scene, heard: bool) -> Path:
    """A film of a scene, with its sound or without."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shots = frames(scene)
    with av.open(str(path), "w") as media:
        video = media.add_stream("mpeg4", rate=VIDEO_FPS)
        video.height, video.width = shots[0].shape[:2]
        video.pix_fmt = "yuv420p"
        audio = media.add_stream("aac", rate=SOUND_RATE, layout="mono") if heard else None
        for shot in shots:
            media.mux(video.encode(av.VideoFrame.from_ndarray(shot, format="rgb24")))
        media.mux(video.encode(None))
        if audio is not None:
            wave = av.AudioFrame.from_ndarray(
                sound(scene).astype(np.float32)[None], format="fltp", layout="mono"
            )
            wave.sample_rate, wave.pts = SOUND_RATE, 0
            media.mux(audio.encode(wave))
            media.mux(audio.encode(None))
    return path


def kinetics(folder: Path, each: int = 1) -> Made:
    """A table with seconds, and names of files with six digits for each."""
    rows: list[tuple[object, ...]] = [("label", "youtube_id", "time_start", "time_end", "split")]
    items, truth = [], []
    for at, (scene, kind) in enumerate(scenes(3, each)):
        rows.append((NAMES[kind], f"kin{at:02d}_-abcd", 20 * at, 20 * at + 10, "val"))
        name = f"kin{at:02d}_-abcd_{20 * at:06d}_{20 * at + 10:06d}.mp4"
        items.append(write_film(folder / "val" / name, scene, heard=False))
        truth.append((NAMES[kind],))
    write_table(folder / "annotations/val.csv", rows)
    return Made(folder, "video", items, truth, items[1], {name: (name,) for name in NAMES[:3]})


def msrvtt(folder: Path, each: int = 1) -> Made:
    """A text a film; every third film has no sound."""
    rows: list[tuple[str, ...]] = [("key", "vid_key", "video_id", "sentence")]
    items, truth, sounds = [], [], []
    for at, (scene, _) in enumerate(scenes(5, each)):
        rows.append((f"ret{at}", f"msr{7020 + at}", f"video{7020 + at}", caption(scene, 0)))
        items.append(write_film(folder / "videos" / f"video{7020 + at}.mp4", scene, heard=at % 3 != 2))
        sounds.append(items[-1] if at % 3 != 2 else None)
        truth.append((caption(scene, 0),))
    write_table(folder / "MSRVTT_JSFUSION_test.csv", rows)
    return Made(folder, "video", items, truth, items[2], sounds=sounds)

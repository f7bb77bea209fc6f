"""The layouts of data sets of depth, heat and motion: SUN RGB-D, NYU Depth v2, LLVIP, Ego4D."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import PIL.Image

import bindrt
from support.datasets.made import Made
from support.datasets.scenes import scenes, write_picture
from tiny.world import IMU_RATE, Scene, depth_map, motion, thermal_frame

_CAMERAS = (
    ("kv1/b3dodata", "kinect"),
    ("kv2/kinect2data", "kinect2"),
    ("realsense/lg", "realsense"),
    ("xtion/sun3ddata/a", "xtion"),
)
_ROOT = "/n/fs/sun3d/data/SUNRGBD/"


def write_depth(path: Path, scene: Scene) -> Path:
    """Millimetres, shifted by three bits as SUN RGB-D's files are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    counts = depth_map(scene).astype(np.uint16)
    PIL.Image.fromarray(((counts << 3) | (counts >> 13)).astype(np.uint16)).save(path)
    return path


def sun_rgbd(folder: Path, each: int = 4) -> Made:
    """Half of the maps for training; and one whose scene is not among those of the benchmark."""
    from scipy.io import savemat

    names = ("dining_area", "bathroom", "kitchen")
    listed: dict[str, list[str]] = {"alltrain": [], "alltest": []}
    items: list[Any] = []
    truth = []
    for at, (scene, kind) in enumerate(scenes(3, each)):
        place, camera = _CAMERAS[at % 4]
        name = f"{place}/{at:06d}_2014-05-26"
        part = "alltest" if at // 3 % 2 else "alltrain"
        path = write_depth(folder / "SUNRGBD" / name / "depth_bfx" / f"{at:07d}.png", scene)
        (folder / "SUNRGBD" / name / "scene.txt").write_text(names[kind])
        listed[part].append(_ROOT + name)
        if part == "alltest":
            items.append(bindrt.Depth(path, unit="sunrgbd", camera=camera))  # type: ignore[arg-type]
            truth.append((names[kind],))
    other = folder / "SUNRGBD/kv1/b3dodata/other"
    other.mkdir(parents=True)
    (other / "scene.txt").write_text("stairs")
    listed["alltest"].append(f"{_ROOT}kv1/b3dodata/other")
    split = folder / "SUNRGBDtoolbox/traintestSUNRGBD/allsplit.mat"
    split.parent.mkdir(parents=True)
    savemat(split, {part: np.array(paths, object)[None] for part, paths in listed.items()})
    return Made(folder, "depth", items, truth, Path(items[0].src), _sun_classes())


def _sun_classes() -> dict[str, tuple[str, ...]]:
    names = (
        "bathroom", "bedroom", "classroom", "computer room", "conference room", "corridor", "dining area",
        "dining room", "discussion area", "furniture store", "home office", "kitchen", "lab",
        "lecture theatre", "library", "living room", "office", "rest space", "study space",
    )  # fmt: skip
    return {name.replace(" ", "_"): (name,) for name in names}


def nyu_depth(folder: Path, each: int = 3) -> Made:
    """A list as ViT-Lens has it, in which many maps are named by a file that its makers computed."""
    rows, items, truth = [], [], []
    labels = (("bookstore", "bookstore"), ("living_room", "living_room"), ("foyer", "others"))
    for at, (scene, kind) in enumerate(scenes(3, each)):
        name = f"NYU{at + 1:04d}"
        path = write_depth(folder / f"SUNRGBD/kv1/NYUdata/{name}/depth_bfx/{name}.png", scene)
        said, benchmark = labels[kind]
        suffix = "_disparity.pt" if at % 2 else ".png"
        rows.append({
            "image_path": f"kv1/NYUdata/{name}/image/{name}.jpg",
            "depth_path": f"kv1/NYUdata/{name}/depth_bfx/{name}{suffix}",
            "label": said, "cleaned_label": said.replace("_", " "), "benchmark_label": benchmark,
        })  # fmt: skip
        items.append(bindrt.Depth(path, unit="sunrgbd", camera="kinect"))
        truth.append((benchmark,))
    (folder / "NYU-Depth-v2_val.json").write_text(json.dumps(rows), "utf-8")
    nine = ("bathroom", "bedroom", "bookstore", "classroom", "dining room", "home office", "kitchen",
            "living room", "office")  # fmt: skip
    others = (
        "basement", "cafe", "computer lab", "conference room", "dinette", "exercise room", "foyer",
        "furniture store", "home storage", "indoor balcony", "laundry room", "office kitchen", "playroom",
        "printer room", "reception room", "student lounge", "study", "study room",
    )  # fmt: skip
    victim = folder / "SUNRGBD/kv1/NYUdata/NYU0002/depth_bfx/NYU0002.png"
    classes = {name.replace(" ", "_"): (name,) for name in nine} | {"others": others}
    return Made(folder, "depth", items, truth, victim, classes)


def llvip(folder: Path, each: int = 4) -> Made:
    """Pairs of pictures with a box each; the boxes without persons are not among the items."""
    items, truth = [], []
    for at, (scene, _) in enumerate(scenes(1, each)):
        name = f"19{at:04d}"
        frame = PIL.Image.fromarray(thermal_frame(scene)).convert("RGB")
        path = folder / "infrared/test" / f"{name}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        frame.save(path, quality=95)
        write_picture(folder / "visible/test" / f"{name}.jpg", scene)
        box = (5, 10, frame.width // 3, frame.height // 2)
        _write_boxes(folder / "Annotations" / f"{name}.xml", frame.size, box)
        with PIL.Image.open(path) as shown:
            items.append(bindrt.Thermal(np.asarray(shown.convert("L").crop(box))))
        truth.append(("person",))
    classes = {"person": ("person", "man", "woman", "people"),
               "background": ("street", "road", "car", "light", "tree")}  # fmt: skip
    return Made(folder, "thermal", items, truth, folder / "Annotations/190002.xml", classes)


def _write_boxes(path: Path, size: tuple[int, int], box: tuple[int, int, int, int]) -> None:
    root = ElementTree.Element("annotation")
    ElementTree.SubElement(root, "filename").text = f"{path.stem}.jpg"
    told = ElementTree.SubElement(root, "size")
    for name, value in zip(("width", "height", "depth"), (*size, 3), strict=True):
        ElementTree.SubElement(told, name).text = str(value)
    found = ElementTree.SubElement(root, "object")
    ElementTree.SubElement(found, "name").text = "person"
    edges = ElementTree.SubElement(found, "bndbox")
    for name, edge in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True):
        ElementTree.SubElement(edges, name).text = str(edge)
    path.parent.mkdir(parents=True, exist_ok=True)
    ElementTree.ElementTree(root).write(path)


def ego4d(folder: Path, each: int = 4) -> Made:
    """Motions of 12 s with narrations, some too near the ends; a video of two scenarios does not count."""
    videos: list[dict[str, Any]] = [{"video_uid": "two", "has_imu": True, "scenarios": ["a", "b"]},
                                    {"video_uid": "none", "has_imu": False, "scenarios": ["a"]}]  # fmt: skip
    told: dict[str, Any] = {}
    items: list[Any] = []
    truth = []
    for at, (scene, kind) in enumerate(scenes(3, each)):
        uid, scenario = f"{at:08d}-ab", ("Playing ball", "Driving a car", "Watching birds")[kind]
        videos.append({"video_uid": uid, "has_imu": True, "scenarios": [scenario]})
        times, values = _write_motion(folder / "imu" / f"{uid}.csv", scene)
        moments = (0.5, 3.0, 4.25, 9.0, 11.9)
        said = [{"timestamp_sec": moment, "narration_text": "#C C walks"} for moment in moments]
        told[uid] = {"narration_pass_1": {"narrations": said}}
        for moment in moments[1:-1]:
            inside = (times >= moment - 2.5) & (times < moment + 2.5)
            items.append(bindrt.Imu(values[:, inside], timestamps=times[inside]))
            truth.append((scenario,))
    (folder / "ego4d.json").write_text(json.dumps({"videos": videos}), "utf-8")
    (folder / "annotations").mkdir()
    (folder / "annotations/narration.json").write_text(json.dumps(told), "utf-8")
    classes = {name: (name,) for name in ("Playing ball", "Driving a car", "Watching birds")}
    return Made(folder, "imu", items, truth, folder / "imu/00000001-ab.csv", classes)


def _write_motion(path: Path, scene: Scene) -> tuple[Any, Any]:
    """A CSV file of 12 s with a row that has no time; the times and samples as they are read back."""
    half = motion(scene)
    values = np.concatenate([half, half, half], axis=1)[:, : 12 * IMU_RATE]
    times = np.arange(values.shape[1]) / IMU_RATE
    path.parent.mkdir(parents=True, exist_ok=True)
    names = "component_idx,component_timestamp_ms,canonical_timestamp_ms,"
    names += "gyro_x,gyro_y,gyro_z,accl_x,accl_y,accl_z"
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{names}\n")
        for at, time in enumerate((1000 * times).tolist()):
            numbers = [*values[3:, at].tolist(), *values[:3, at].tolist()]
            file.write(f"0,{time},{time},{','.join(map(str, numbers))}\n")
            if at == 100:
                file.write("0,12.5,,0,0,0,0,0,0\n")
    return times, values.astype(np.float32)

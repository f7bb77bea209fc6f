"""The notes: what preparation tells about an item that was embedded. ``NOTES`` lists every key.

They stand in ``Embeddings.notes``, ``Prepared.notes`` and ``EmbeddingFuture.notes``. A note is not an error:
the vector is there, and the note says what a user should know about it.
"""

from __future__ import annotations

from collections.abc import Mapping

#: What is told about one item.
Notes = Mapping[str, float | int | str]

#: The key of an item that has fewer views than the model takes. The name of its vector's space tells it too.
FEWER_VIEWS = "views"

#: The key of a recording's last window: how many windows there are.
WINDOWS = "windows"
#: The key of a window that is shorter than the others.
SHORT_WINDOW = "short_window"

#: What each key of a note says, one sentence for users. A new key is one row here.
NOTES: dict[str, str] = {
    # text
    "characters_cut": "The text has more than 77 tokens: so many characters at its end were not read.",
    "unknown_words": "Words that the model was never trained on: they say nothing to it.",
    # audio
    "seconds_unheard": "The sound is longer than its three clips of 2 s: so many seconds were not heard.",
    # image
    "damaged": "The JPEG's data are damaged or end early: what could be decoded was embedded.",
    "exif_orientation": "The picture is stored turned (EXIF), and was embedded so; exif=True turns it.",
    "exif_turned": "The picture was turned upright, as its EXIF orientation says.",
    "clipped_share": (
        "The share of a 16-bit grey picture clipped at 255, as the original does. If it is a depth map "
        "or a thermal frame, name that modality."
    ),
    # audio and video
    "lost_packets": "Damaged packets that could not be decoded; the rest was embedded.",
    # windows
    SHORT_WINDOW: "The recording ends within this last window, which has so many seconds.",
    WINDOWS: "This is the recording's last window: there are so many.",
    # video
    "frames_unseen": "The model sees ten frames of a video: so many others were not seen.",
    "damaged_frames": "Frames of the views that are damaged, or for which the frame before stands in.",
    FEWER_VIEWS: "The video was seen in so many views, fewer than the model's fifteen, as was asked.",
    # depth
    "unit": "The unit in which the depth map or the thermal frame was read.",
    "missing_pixels": "Pixels of the depth map that have no depth.",
    "missing_share": "The share of the depth map's pixels that have no depth, 0 to 1.",
    # depth and thermal
    "beyond_any_camera": (
        "Pixels whose numbers are beyond 10⁹, which no camera measures: they count as the end of the range."
    ),
    # thermal
    "low": "The low end of the thermal frame's range; in °C if its unit is known.",
    "high": "The high end of the thermal frame's range; in °C if its unit is known.",
    "perhaps_centikelvin": 'All pixels lie above the range. If they are 1/100 K, pass unit="centikelvin".',
    # windows of streams
    "gaps": "Times that something is missing in the window.",
    "gap_seconds": "Seconds that are missing in the window or just before it.",
    "duplicates": "Pieces or samples of the window that came twice, and were taken once.",
    "reordered": "Pieces or samples of the window that came out of order, and were put right.",
    "late": "Pieces or samples that came too late for the window, and were left out.",
    "jumps_back": "The sensor's clock went back just before the window.",
    "restarts": "The sensor's clock began anew just before the window.",
    "jitter": "Seconds, added up, by which the times of the window's blocks are off.",
    "not_finite": "Values of the window that were NaN, infinite or beyond any sensor: 0 stands for them.",
    "clock_skew": "Seconds by which the accelerometer's clock has gained on the gyroscope's.",
    "nearest_frames": "Frames for which the nearest one that was kept stands in: the frames' rate changed.",
    # imu
    "time_unit": "The unit in which the times were read: the one that gives a usual rate.",
    "lost_rows": "Rows of the table that are damaged, and were left out.",
    "perhaps_g": 'The mean acceleration is about 1, as in g, not 9.8: if it is in g, pass accel_unit="g".',
}

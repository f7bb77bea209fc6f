"""Which columns of a table of inertial samples are what, by the names that recorders give them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

SENSORS = ("acc", "gyro")
_WORDS = {
    "acc": frozenset(
        ("acc", "acce", "accl", "accel", "accelerometer", "acceleration", "accelerations", "gforce")
    ),
    "gyro": frozenset(
        ("gyr", "gyro", "gyros", "gyroscope", "angularvelocity", "angvel", "angularrate", "rotationrate",
         "angular", "rotation", "rot", "omega")
    ),
}  # fmt: skip
#: Letters that name a sensor where they stand first, as in ``ax``, ``w_x`` and EuRoC's ``a_RS_S_x``.
_LETTERS = {"a": "acc", "g": "gyro", "w": "gyro"}
#: What a sensor is called before a word such as rate.
_SHORT = {
    **dict.fromkeys(("acc", "accel", "accelerometer"), "acc"),
    **dict.fromkeys(("gyr", "gyro", "gyroscope"), "gyro"),
}
#: Words of columns that are derived from the sensors, or say how good they are.
_DERIVED = frozenset(
    (
        "gravity",
        "user",
        "linear",
        "bias",
        "cov",
        "covariance",
        "std",
        "noise",
        "mag",
        "magnetic",
        "magnetometer",
    )
)
_TIMES = frozenset(
    ("t", "ts", "cts", "time", "times", "timestamp", "timestamps", "stamp", "datetime", "elapsed", "epoch",
     "unix", "sec", "seconds", "millis", "milliseconds", "micros", "microseconds", "nanos", "nanoseconds")
)  # fmt: skip
_TICKS = frozenset(("fine",))  # Xsens' SampleTimeFine counts tenths of a millisecond
_RATES = frozenset(("rate", "fs", "hz", "frequency", "samplingrate", "samplerate"))
_TIME_UNITS = {
    "s": "s", "sec": "s", "secs": "s", "second": "s", "seconds": "s",
    "ms": "ms", "msec": "ms", "millis": "ms", "milliseconds": "ms",
    "us": "us", "µs": "us", "μs": "us", "usec": "us", "micros": "us", "microseconds": "us",
    "ns": "ns", "nsec": "ns", "nanos": "ns", "nanoseconds": "ns",
}  # fmt: skip
_SAMPLE_UNITS = {
    "m/s2": "m/s2", "mps2": "m/s2", "ms2": "m/s2", "ms-2": "m/s2", "m/s/s": "m/s2", "g": "g", "gs": "g",
    "rad/s": "rad/s", "rads": "rad/s", "rads-1": "rad/s", "radps": "rad/s", "deg/s": "deg/s", "degs": "deg/s",
    "degs-1": "deg/s", "dps": "deg/s", "degps": "deg/s", "°/s": "deg/s", "degree/s": "deg/s",
    "degrees/s": "deg/s", "rad/sec": "rad/s", "deg/sec": "deg/s",
}  # fmt: skip
_SENSOR_OF = {"m/s2": "acc", "g": "acc", "rad/s": "gyro", "deg/s": "gyro"}
_G_FORCE = re.compile(r"g[ _-]?f(?:orce)?[ _-]?([xyz])\Z", re.IGNORECASE)
_BRACKETS = re.compile(r"[\[(]([^\])]*)[\])]\s*$")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True)
class Named:
    """What a column's name says: its words in lower case, its axis, its unit as written."""

    words: tuple[str, ...]
    axis: str = ""
    unit: str = ""

    @property
    def sensor(self) -> str:
        """``acc``, ``gyro`` or, for anything else, empty."""
        if _DERIVED & set(self.words) - {"linear"}:
            return ""
        parts = {*self.words, *("".join(pair) for pair in zip(self.words, self.words[1:], strict=False))}
        for sensor, known in _WORDS.items():
            if parts & known:
                return sensor
        if self.words and self.axis and self.words[0] in _LETTERS:
            return _LETTERS[self.words[0]]
        return _SENSOR_OF.get(_sample_unit(self.unit), "") if self.axis else ""


@dataclass
class Roles:
    """The columns of a recording.

    Attributes:
        axes: the three columns of each sensor, or its one column of three axes.
        times: the column of times of each sensor.
        rate: the column that holds the rate; empty if there is none.
        rates: the column that holds the rate of one sensor alone.
        units: the unit of each sensor that the names tell.
        time_unit: the unit of the times that their names tell; empty if they tell none.
    """

    axes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    times: dict[str, str] = field(default_factory=dict)
    rate: str = ""
    rates: dict[str, str] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    time_unit: str = ""

    def missing(self) -> str:
        """What is not there, in words; empty if nothing is missing."""
        for sensor, word in zip(SENSORS, ("accelerometer", "gyroscope"), strict=True):
            if sensor not in self.axes:
                return f"no columns of the {word}"
        return ""


def read_name(name: str) -> Named:
    """
    >>> read_name("Acceleration x (m/s^2)")
    Named(words=('acceleration',), axis='x', unit='m/s^2')
    >>> read_name("gyroRotationX(rad/s)").words, read_name("w_RS_S_x [rad s^-1]").axis
    (('gyro', 'rotation'), 'x')
    """
    found = _BRACKETS.search(name)
    unit = found.group(1).strip() if found else ""
    bare = (name[: found.start()] if found else name).strip()
    if (force := _G_FORCE.match(bare)) is not None:
        return Named(("gforce",), force.group(1).lower(), unit or "g")
    words = [w for w in re.split(r"[^a-z0-9µμ]+", _CAMEL.sub("_", bare).lower()) if w]
    if (
        not unit
        and len(words) > 1
        and _sample_unit(words[-1])
        and (words[-1] != "g" or words[-2][-1] in "xyz")
    ):
        unit = words.pop()
    if words and words[-1] in ("x", "y", "z"):
        return Named(tuple(words[:-1]), words[-1], unit)
    if words and words[0] in ("x", "y", "z"):
        return Named(tuple(words[1:]), words[0], unit)
    if words and words[-1][-1] in "xyz" and (words[-1][:-1] in _LETTERS or _known(words[-1][:-1])):
        return Named((*words[:-1], words[-1][:-1]), words[-1][-1], unit)
    inside = [at for at, word in enumerate(words) if word in ("x", "y", "z")]
    if len(inside) == 1:  # Accel_LN_X_CAL
        at = inside[0]
        return Named((*words[:at], *words[at + 1 :]), words[at], unit)
    return Named(tuple(words), "", unit)


def _known(word: str) -> bool:
    return any(word in known for known in _WORDS.values())


def find_roles(names: Iterable[str]) -> Roles:
    """What each column is, by its name; the first that fits of several."""
    roles = Roles()
    read = {name: read_name(name) for name in names}
    for sensor in SENSORS:
        if (axes := _axes(read, sensor)) is not None:
            roles.axes[sensor] = axes
            if unit := read[axes[0]].unit:
                roles.units[sensor] = _sample_unit(unit) or unit
        if (own := next((n for n, r in read.items() if is_time(r) and r.sensor == sensor), None)) is not None:
            roles.times[sensor] = own
    shared = _shared_time(read)
    for sensor in SENSORS:
        if shared:
            roles.times.setdefault(sensor, shared)
    for name, named in read.items():
        if is_rate(named) and named.words[0] in _SHORT:
            roles.rates.setdefault(_SHORT[named.words[0]], name)
        elif is_rate(named) and not roles.rate:
            roles.rate = name
    first = next(iter(roles.times.values()), "")
    roles.time_unit = time_unit(read[first]) if first else ""
    return roles


def given_roles(columns: Sequence[str]) -> Roles:
    """What the caller says: time, accelerometer x, y, z, gyroscope x, y, z; without time beside a rate."""
    time, rest = (columns[0], columns[1:]) if len(columns) == 7 else ("", columns)
    roles = Roles({"acc": tuple(rest[:3]), "gyro": tuple(rest[3:])})
    if time:
        roles.times = dict.fromkeys(SENSORS, time)
        roles.time_unit = time_unit(read_name(time))
    for sensor in SENSORS:
        if unit := read_name(roles.axes[sensor][0]).unit:
            roles.units[sensor] = _sample_unit(unit) or unit
    return roles


def _axes(read: Mapping[str, Named], sensor: str) -> tuple[str, ...] | None:
    """The columns of one sensor: raw ones before those without gravity, which Android calls linear."""
    of_sensor = {n: r for n, r in read.items() if r.sensor == sensor and not is_time(r) and not is_rate(r)}
    for kept in ([n for n, r in of_sensor.items() if "linear" not in r.words], list(of_sensor)):
        groups: dict[tuple[str, ...], dict[str, str]] = {}
        for name in kept:
            groups.setdefault(of_sensor[name].words, {}).setdefault(of_sensor[name].axis, name)
        for axes in groups.values():
            if {"x", "y", "z"} <= set(axes):
                return axes["x"], axes["y"], axes["z"]
        for axes in groups.values():
            if "" in axes:
                return (axes[""],)
    return None


def is_rate(named: Named) -> bool:
    """Whether a column holds a rate. Gyroscopes measure a rate too, but not with one word before it."""
    if named.axis or not named.words:
        return False
    before = named.words[:-1]
    is_alone = not before or (
        len(before) == 1 and (before[0] in _SHORT or before[0] in ("sampling", "sample"))
    )
    return is_alone and named.words[-1] in _RATES


def is_time(named: Named) -> bool:
    words = set(named.words)
    return not named.axis and bool(_TIMES & words) and not words & (_RATES | _TICKS)


def _shared_time(read: Mapping[str, Named]) -> str:
    return next((n for n, r in read.items() if is_time(r) and not r.sensor), "")


def time_unit(named: Named) -> str:
    """The unit that a time column's name tells; empty if none.

    >>> time_unit(read_name("timestamp [ns]")), time_unit(read_name("time_ms")), time_unit(read_name("t"))
    ('ns', 'ms', '')
    """
    if named.unit:
        return _TIME_UNITS.get(named.unit.lower(), "")
    return next((_TIME_UNITS[w] for w in named.words if w in _TIME_UNITS), "")


def _sample_unit(unit: str) -> str:
    """A unit in one spelling; empty if it is not known.

    >>> _sample_unit("m s^-2"), _sample_unit("°/s"), _sample_unit("furlongs")
    ('m/s2', 'deg/s', '')
    """
    plain = unit.lower().replace("²", "2").replace("^", "").replace(" ", "").replace("*", "").replace("·", "")
    return _SAMPLE_UNITS.get(plain, "")

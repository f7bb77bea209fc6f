"""IMU recordings as people have them: tables with names and units of recorders, sensors at two rates."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

import bindrt
from bindrt import Imu, InputError, LimitError, Limits, SourceError, preprocess
from bindrt.preprocess import detect, prepare

RATE, COUNT = 200, 1100
TIMES = np.arange(COUNT) / RATE
SAMPLES = np.stack([np.sin(TIMES * (k + 1)) + 3 * k for k in range(6)])
WANT = preprocess.imu(SAMPLES, timestamps=TIMES)
AXES = [f"{s}_{a}" for s in ("acc", "gyro") for a in "xyz"]


def csv(header: str, rows: Any, delimiter: str = ",", before: str = "") -> bytes:
    lines = [delimiter.join(str(v) for v in row) for row in rows]
    return "\n".join([*([before] if before else []), *([header] if header else []), *lines, ""]).encode()


def rows(times: Any, samples: Any = SAMPLES) -> list[list[Any]]:
    return [[t, *s] for t, s in zip(times, samples.T.tolist(), strict=True)]


HEADERS = {
    "plain": "t,ax,ay,az,gx,gy,gz",
    "words": "timestamp,acc_x,acc_y,acc_z,gyro_x,gyro_y,gyro_z",
    "EuRoC": "#timestamp [s],a_RS_S_x [m s^-2],a_RS_S_y [m s^-2],a_RS_S_z [m s^-2],"
    "w_RS_S_x [rad s^-1],w_RS_S_y [rad s^-1],w_RS_S_z [rad s^-1]",
    "phyphox": '"Time (s)","Acceleration x (m/s^2)","Acceleration y (m/s^2)","Acceleration z (m/s^2)",'
    '"Gyroscope x (rad/s)","Gyroscope y (rad/s)","Gyroscope z (rad/s)"',
    "ROS": "%time,field.linear_acceleration.x,field.linear_acceleration.y,field.linear_acceleration.z,"
    "field.angular_velocity.x,field.angular_velocity.y,field.angular_velocity.z",
    "SensorLog": "loggingTime,accelerometerAccelerationX(m/s2),accelerometerAccelerationY(m/s2),"
    "accelerometerAccelerationZ(m/s2),gyroRotationX(rad/s),gyroRotationY(rad/s),gyroRotationZ(rad/s)",
    "g-force": "time_s,gFx,gFy,gFz,wx,wy,wz",
    "axes and units": "epoch,x-axis (m/s2),y-axis (m/s2),z-axis (m/s2),x (rad/s),y (rad/s),z (rad/s)",
    "sensors last": "unix_time,x_acc,y_acc,z_acc,x_gyro,y_gyro,z_gyro",
    "user acceleration beside": "t,ax,ay,az,gx,gy,gz,userAccelerationX,userAccelerationY,userAccelerationZ",
    "Shimmer": "Timestamp_Unix_CAL,Accel_LN_X_CAL,Accel_LN_Y_CAL,Accel_LN_Z_CAL,"
    "Gyro_X_CAL,Gyro_Y_CAL,Gyro_Z_CAL",
    "MATLAB": "Timestamp,AccelX,AccelY,AccelZ,AngVelX,AngVelY,AngVelZ",
    "RoNIN": "time,acce_x,acce_y,acce_z,gyro_x,gyro_y,gyro_z",
    "Ego4D": "canonical_timestamp_s,accl_x,accl_y,accl_z,gyro_x,gyro_y,gyro_z",
    "GoPro": "cts,Accelerometer x,Accelerometer y,Accelerometer z,Gyroscope x,Gyroscope y,Gyroscope z",
    "letters": "Time,AccX,AccY,AccZ,GyrX,GyrY,GyrZ",
}


def test_ticks_of_xsens_are_no_times() -> None:
    """They are tenths of a millisecond: read as milliseconds the recording would be ten times as long."""
    header = "SampleTimeFine,Acc_X,Acc_Y,Acc_Z,Gyr_X,Gyr_Y,Gyr_Z"
    data = csv(header, rows((TIMES * 1e4).astype(int)))
    with pytest.raises(InputError, match="need a rate or timestamps"):
        preprocess.imu(data)
    np.testing.assert_allclose(preprocess.imu(data, rate=RATE), WANT, atol=1e-5)


@pytest.mark.parametrize("header", HEADERS)
def test_headers(header: str) -> None:
    more = HEADERS[header].count(",") - 6
    data = csv(HEADERS[header], [[*row, *[7.0] * more] for row in rows(TIMES)])
    unit = "m/s2" if header == "g-force" else None
    np.testing.assert_allclose(preprocess.imu(data, accel_unit=unit), WANT, atol=1e-5)
    assert detect(data) == "imu"


@pytest.mark.parametrize("delimiter", list(",;\t|"))
def test_delimiters(delimiter: str) -> None:
    data = csv(HEADERS["plain"].replace(",", delimiter), rows(TIMES), delimiter)
    np.testing.assert_allclose(preprocess.imu(data), WANT, atol=1e-5)


def test_decimal_commas_a_preamble_and_other_columns() -> None:
    header = "id;name;time;ax;ay;az;gx;gy;gz"
    table = [[i, "walk", *row] for i, row in enumerate(rows(TIMES))]
    data = csv(header, table, ";", before="# recorded on Monday\n# device: 3").replace(b".", b",")
    np.testing.assert_allclose(preprocess.imu(data), WANT, atol=1e-5)


def test_columns_in_another_order() -> None:
    shuffled = csv("gz,gy,gx,az,ay,ax,t", [row[::-1] for row in rows(TIMES)])
    np.testing.assert_allclose(preprocess.imu(shuffled), WANT, atol=1e-5)


def test_named_columns() -> None:
    data = csv("a,b,c,d,e,f,g", rows(TIMES))
    with pytest.raises(InputError, match="no columns of the accelerometer were recognized in 'a', 'b'"):
        preprocess.imu(data)
    np.testing.assert_allclose(preprocess.imu(data, columns=list("abcdefg")), WANT, atol=1e-5)
    np.testing.assert_allclose(preprocess.imu(data, rate=RATE, columns=list("bcdefg")), WANT, atol=1e-5)
    no_header = csv("", rows(TIMES))
    np.testing.assert_allclose(preprocess.imu(no_header, columns=list("1234567")), WANT, atol=1e-5)
    for columns in (list("abcdef") + ["h"], list("abc")):
        with pytest.raises(InputError, match="give seven"):
            preprocess.imu(data, columns=columns)


@pytest.mark.parametrize(("unit", "factor"), [("s", 1), ("ms", 1e3), ("us", 1e6), ("ns", 1e9)])
@pytest.mark.parametrize("start", [0, 1_700_000_000])
def test_units_of_time(unit: str, factor: float, start: int) -> None:
    """By what is plausible, by the column's name, and by the option."""
    times = ((start + TIMES) * factor).tolist() if unit == "s" else [
        round(start * factor) + round(t * factor) for t in TIMES.tolist()
    ]  # fmt: skip
    plausible = prepare("imu", csv(HEADERS["plain"], rows(times)))
    np.testing.assert_allclose(plausible.array, WANT, atol=1e-4)
    assert plausible.notes.get("time_unit", "s") == unit
    told = prepare("imu", csv(HEADERS["plain"].replace("t,", f"time_{unit},"), rows(times)))
    np.testing.assert_allclose(told.array, WANT, atol=1e-4)
    assert "time_unit" not in told.notes
    given = preprocess.imu(SAMPLES, timestamps=np.array(times), time_unit=unit)  # type: ignore[arg-type]
    np.testing.assert_allclose(given, WANT, atol=1e-4)


def test_dates() -> None:
    moments = np.datetime64("2024-05-01T12:00:00", "us") + (TIMES * 1e6).astype("timedelta64[us]")
    for text in (moments.astype(str), [f"{m}Z" for m in moments.astype(str)]):
        np.testing.assert_allclose(preprocess.imu(csv(HEADERS["plain"], rows(text))), WANT, atol=1e-5)
    np.testing.assert_allclose(preprocess.imu(SAMPLES, timestamps=moments), WANT, atol=1e-5)
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({**COLUMNS, "t": moments})
    np.testing.assert_allclose(preprocess.imu(Imu(table)), WANT, atol=1e-5)
    np.testing.assert_allclose(preprocess.imu(parquet(pa.Table.from_pandas(table))), WANT, atol=1e-5)


def test_units_of_samples() -> None:
    header = "t,ax (g),ay (g),az (g),gx (deg/s),gy (deg/s),gz (deg/s)"
    data = csv(header, rows(TIMES))
    want = preprocess.imu(SAMPLES, timestamps=TIMES, accel_unit="g", gyro_unit="deg/s")
    np.testing.assert_allclose(preprocess.imu(data), want, atol=1e-4)
    np.testing.assert_allclose(preprocess.imu(data, accel_unit="m/s2", gyro_unit="rad/s"), WANT, atol=1e-5)
    with pytest.raises(InputError, match="its header says 'furlong'; name the unit: accel_unit"):
        preprocess.imu(csv(header.replace("(g)", "[furlong]"), rows(TIMES)))


def npz(**fields: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **fields)
    return file.getvalue()


def parquet(table: Any) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file)
    return file.getvalue()


COLUMNS = {"t": TIMES, **dict(zip(AXES, SAMPLES, strict=True))}
COLUMNS_OF_LETTERS = dict(zip("abcdefg", [TIMES, *SAMPLES], strict=True))
KINDS: dict[str, Callable[[], Any]] = {
    "parquet": lambda: parquet(pa.table(COLUMNS)),
    "parquet with lists": lambda: parquet(
        pa.table({"time": TIMES, "acc": SAMPLES[:3].T.tolist(), "gyro": SAMPLES[3:].T.tolist()})
    ),
    "npz with timestamps": lambda: npz(samples=SAMPLES, timestamps=TIMES),
    "npz of imu and rate": lambda: npz(imu=SAMPLES, sampling_rate=RATE),
    "npz of two sensors": lambda: npz(acc=SAMPLES[:3], gyro=SAMPLES[3:], time=TIMES),
    "npz of two sensors, [N, 3]": lambda: npz(accel=SAMPLES[:3].T, gyr=SAMPLES[3:].T, ts=TIMES),
    "npz of two rates": lambda: npz(acc=SAMPLES[:3], gyro=SAMPLES[3:], acc_rate=RATE, gyro_rate=RATE),
    "npz of columns": lambda: npz(**COLUMNS),
}


@pytest.mark.parametrize("kind", KINDS)
def test_files(kind: str, tmp_path: Path) -> None:
    data = KINDS[kind]()
    np.testing.assert_allclose(preprocess.imu(data), WANT, atol=1e-5)
    (tmp_path / "it").write_bytes(data)
    np.testing.assert_allclose(preprocess.imu(tmp_path / "it"), WANT, atol=1e-5)


def test_options_go_before_what_a_npz_says() -> None:
    data = npz(samples=SAMPLES, t=TIMES * 2, rate=[1, 2], **COLUMNS_OF_LETTERS)
    np.testing.assert_allclose(preprocess.imu(data, rate=RATE), WANT, atol=1e-5)
    np.testing.assert_allclose(preprocess.imu(data, timestamps=TIMES), WANT, atol=1e-5)
    np.testing.assert_allclose(preprocess.imu(data, columns=list("abcdefg")), WANT, atol=1e-5)


def test_tables_in_memory() -> None:
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    for table in (COLUMNS, pandas.DataFrame(COLUMNS), polars.DataFrame(COLUMNS), pa.table(COLUMNS)):
        np.testing.assert_allclose(preprocess.imu(Imu(table)), WANT, atol=1e-5)


def test_two_sensors_at_two_rates() -> None:
    """Straight lines are the same at any rate; so is what lies between the samples of both."""
    slow, fast = np.arange(300) / 52 + 0.003, np.arange(1300) / 208
    acc = np.stack([slow, 2 * slow, 9.8 - slow])
    gyro = np.stack([fast, -fast, fast / 2])
    out = preprocess.imu(Imu({"acc": acc, "acc_t": slow, "gyro": gyro, "gyro_t": fast}))
    steps = np.arange(2000) / 400 + 0.003  # after the first time of both
    want = np.stack([steps, 2 * steps, 9.8 - steps, steps, -steps, steps / 2])
    np.testing.assert_allclose(out, want, atol=1e-5)

    empty: list[Any] = ["", "", ""]
    merged = sorted(
        [[t, *a, *empty] for t, a in zip(slow.tolist(), acc.T.tolist(), strict=True)]
        + [[t, *empty, *g] for t, g in zip(fast.tolist(), gyro.T.tolist(), strict=True)],
        key=lambda row: row[0],
    )
    np.testing.assert_allclose(preprocess.imu(csv(HEADERS["plain"], merged)), want, atol=1e-5)


def test_two_sensors_that_do_not_fit() -> None:
    acc, gyro = SAMPLES[:3], SAMPLES[3:]
    with pytest.raises(InputError, match="no time in common"):
        preprocess.imu(Imu({"acc": acc, "acc_t": TIMES, "gyro": gyro, "gyro_t": TIMES + 100}))
    late = TIMES + (TIMES > 2)
    with pytest.raises(InputError, match=r"gyro: a gap of 1\.00"):
        preprocess.imu(Imu({"acc": acc, "acc_t": TIMES, "gyro": gyro, "gyro_t": late}))
    with pytest.raises(InputError, match="sensors at different rates need the times of each"):
        preprocess.imu(Imu({"acc": acc, "gyro": gyro[:, :-1]}, rate=RATE))
    with pytest.raises(InputError, match="1100 samples"):
        preprocess.imu(Imu({"acc": acc, "gyro": gyro, "time": TIMES[:-1]}))
    with pytest.raises(InputError, match="need a rate or timestamps"):
        preprocess.imu(Imu({"acc": acc, "gyro": gyro}))


def test_duplicates_and_unsorted_samples() -> None:
    twice = TIMES.copy()
    twice[[7, 90]] = twice[[6, 89]]
    with pytest.raises(
        InputError, match="sample 7 has the same time as the one before, 2 do in all; keep one"
    ):
        preprocess.imu(SAMPLES, timestamps=twice)
    with pytest.raises(InputError, match="use float64"):
        preprocess.imu(SAMPLES, timestamps=(TIMES + 1.7e9).astype(np.float32))
    with pytest.raises(InputError, match="does not increase at sample 1; sort"):
        preprocess.imu(SAMPLES, timestamps=TIMES[::-1])
    with pytest.raises(InputError, match="does not increase at sample 1; sort"):
        preprocess.imu(SAMPLES, timestamps=(TIMES[::-1] * 200).astype(np.uint64))


def test_a_cut_row_is_told() -> None:
    data = csv(HEADERS["plain"], rows(TIMES)) + b"5.5,0.1"
    found = prepare("imu", data)
    np.testing.assert_allclose(found.array, WANT, atol=1e-5)
    assert found.notes["lost_rows"] == 1


@pytest.mark.parametrize("cut", [0.3, 0.9])
def test_damaged_tables(cut: float) -> None:
    data = parquet(pa.table(COLUMNS))
    with pytest.raises(SourceError, match="Parquet"):
        preprocess.imu(data[: int(cut * len(data))])
    with pytest.raises(InputError, match=r"column 'acc_y': its values are not numbers: string"):
        preprocess.imu(csv("t," + ",".join(AXES), [*rows(TIMES), [6.0, 1, "x", 1, 1, 1, 1]]))


def test_a_parquet_bomb() -> None:
    """Equal values take almost no room in the file."""
    zeros = pa.array(np.zeros(2_000_000))
    data = parquet(pa.table({"t": zeros, **dict.fromkeys(AXES, zeros)}))
    with pytest.raises(LimitError, match="112000000 bytes"):
        preprocess.imu(data, limits=Limits(max_bytes=10_000_000))
    more = pa.array(np.zeros(3_000_000, np.float32))
    with pytest.raises(SourceError, match="columns claim 168000000 bytes"):
        preprocess.imu(parquet(pa.table({"t": more, **dict.fromkeys(AXES, more)})))


def test_large_values() -> None:
    for value in (3e38, 1e300, 1e7):
        with pytest.raises(InputError, match="a sample is|NaN or infinite"):  # noqa: RUF043
            preprocess.imu(SAMPLES * 0 + value, rate=RATE)


@pytest.mark.parametrize(("mean", "told"), [(1.0, True), (9.81, False)])
def test_samples_in_g_are_told(mean: float, told: bool) -> None:
    still = np.zeros((6, COUNT))
    still[2] = mean
    assert ("perhaps_g" in prepare("imu", Imu(still, rate=RATE)).notes) is told
    assert "perhaps_g" not in prepare("imu", Imu(still, rate=RATE, accel_unit="g")).notes


def test_embed() -> None:
    data = csv(HEADERS["words"], rows(TIMES))
    with bindrt.load("tiny", modalities=["imu"]) as model:
        e = model.embed(imu=[data, Imu(SAMPLES, timestamps=TIMES)])
        np.testing.assert_allclose(e.imu[0], e.imu[1], atol=1e-5)


def test_unit_is_short_for_accel_unit() -> None:
    want = preprocess.imu(SAMPLES, timestamps=TIMES, accel_unit="g")
    np.testing.assert_array_equal(preprocess.imu(SAMPLES, timestamps=TIMES, unit="g"), want)
    np.testing.assert_array_equal(prepare("imu", Imu(SAMPLES, timestamps=TIMES, unit="g")).array, want)
    for accel, message in ((None, "unit is 'deg'; it is short for accel_unit"), ("g", "beside accel_unit")):
        with pytest.raises(InputError, match=message):
            preprocess.imu(SAMPLES, timestamps=TIMES, accel_unit=accel, unit="deg")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="unit is 'g' beside accel_unit 'm/s2'"):
        preprocess.imu(SAMPLES, timestamps=TIMES, accel_unit="m/s2", unit="g")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_reading_a_table_starts_no_pool_of_threads(kind: str) -> None:
    """Its threads would let go of Python's objects while Python ends, which aborts the process."""
    code = (
        "import os, sys, pyarrow.csv, pyarrow.parquet, bindrt\n"
        "from bindrt.sources import open_source\n"
        "from bindrt.sources.tables import read_table\n"
        "before = len(os.listdir('/proc/self/task'))\n"
        f"read_table(open_source(sys.stdin.buffer.read()), {kind!r}, ['t', 'ax'], bindrt.Limits())\n"
        "print(len(os.listdir('/proc/self/task')) - before)\n"
    )
    data = csv("t,ax,ay,az,gx,gy,gz", rows(TIMES))
    if kind == "parquet":
        out = io.BytesIO()
        pq.write_table(pyarrow.csv.read_csv(io.BytesIO(data)), out)
        data = out.getvalue()
    done = subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, check=True)
    assert int(done.stdout) <= 1  # Arrow looks ahead in one

"""What a processor's units could gain, as doctor and bind-export say it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import bindrt
from bindrt import hardware
from bindrt.bundle import open_bundle
from bindrt.selection.gains import bundle_gain, machine_gain, measured_text
from support.toy_engine import bundle_of


@pytest.fixture
def flags(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes a processor with these flags."""

    def pretend(line: str) -> None:
        monkeypatch.setattr(hardware, "_read", lambda path: f"processor\t: 0\n{line}\nflags\t: no_more\n")

    return pretend


@pytest.mark.parametrize(
    ("line", "bf16", "int8"),
    [
        ("flags\t\t: fpu avx512_bf16 avx512_vnni avx2", ("avx512_bf16",), ("avx512_vnni",)),
        (
            "flags\t: avx_vnni avx512_vnni amx_int8 amx_bf16",
            ("amx_bf16",),
            ("amx_int8", "avx512_vnni", "avx_vnni"),
        ),
        ("Features\t: fp asimd asimddp i8mm bf16", ("bf16",), ("i8mm", "asimddp")),
        ("flags\t: fpu avx2", (), ()),
        ("", (), ()),
    ],
)
def test_units(flags: Callable[[str], None], line: str, bf16: tuple[str, ...], int8: tuple[str, ...]) -> None:
    flags(line)
    assert (hardware.units("bf16"), hardware.units("int8"), hardware.units("fp32")) == (bf16, int8, ())


def test_what_a_machine_could_gain(flags: Callable[[str], None]) -> None:
    flags("flags: avx512_bf16 avx512_vnni")
    assert machine_gain([]) == (
        "It has bfloat16 units (avx512_bf16) and 8-bit units (avx512_vnni): load(precision='fast') uses the "
        "bfloat16 units where they gain, 'fastest' the 8-bit units too"
    )
    flags("flags: avx_vnni")
    assert machine_gain([]) == (
        "It has 8-bit units (avx_vnni): load(precision='fastest') uses them where the bundle has int8"
    )
    flags("flags: avx2")
    assert machine_gain([]) == ""


def test_figures_are_measured_ones() -> None:
    def choice(name: str, **seconds: float) -> dict[str, object]:
        return {"bundle": "a.bind", "encoder": name, "seconds": seconds}

    slower = choice("text", fp32=0.01, bf16=0.02)
    assert measured_text([slower, choice("imu", int8=0.1), choice("audio")]) == ""
    found = measured_text(
        [choice("imu", fp32=0.03, bf16=0.02), choice("vision", fp32=0.42, bf16=0.2), slower]
    )
    assert found == "; measured: a.bind vision in bf16 2.1 times as fast as in fp32"


def test_what_a_bundle_could_gain(
    flags: Callable[[str], None], toy_alone: Callable[..., None], tmp_path: Path, imu_bundle: Path
) -> None:
    toy_alone()
    flags("flags: avx512_bf16 avx512_vnni")
    assert bundle_gain(open_bundle(imu_bundle).manifest) == (
        "This processor has bfloat16 units (avx512_bf16): load(precision='bf16') uses them, from the same "
        "files; 8-bit units (avx512_vnni): an export with --precision int8 would use them"
    )
    with_int8 = open_bundle(bundle_of(tmp_path / "int8.bind", imu_bundle, "fp32", "int8"))
    assert bundle_gain(with_int8.manifest).endswith("(avx512_vnni): load(precision='int8') uses them")
    toy_alone(lacks=lambda precision: "no engine for it")
    assert "an export with --precision bf16 would use them" in bundle_gain(open_bundle(imu_bundle).manifest)
    flags("flags: avx2")
    assert bundle_gain(with_int8.manifest) == ""


def test_doctor_says_it(flags: Callable[[str], None]) -> None:
    flags("flags: amx_bf16 amx_int8")
    report = bindrt.doctor()
    assert report.gain.startswith("It has bfloat16 units (amx_bf16) and 8-bit units (amx_int8): ")
    assert f"  {report.gain}\n" in str(report)
    assert report.as_dict()["gain"] == report.gain

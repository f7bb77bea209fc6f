"""Damage to files, the same each time for the same seed."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from support.seeds import Seed
from support.structure import fields_of, with_png_sums


def mutated(data: bytes, rng: random.Random, head: float = 0.0) -> bytes:
    """Some bytes changed, cut, inserted, doubled or taken out; with ``head``, mostly in that front share."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        end = len(out) if rng.random() > 0.8 or not head else max(int(len(out) * head), 1)
        at = rng.randrange(end) if end else 0
        length = rng.choice((1, 2, 4, 8, rng.randrange(1, 200)))
        kind = rng.randrange(8)
        if kind <= 2 and out:
            out[at] ^= 1 << rng.randrange(8)
        elif kind == 3 and out:
            out[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
        elif kind == 4:
            out[at : at + length] = rng.choice((b"\0", b"\xff", b"\x7f", b"9")) * length
        elif kind == 5:
            out[at:at] = rng.randbytes(length)
        elif kind == 6:
            out[at:at] = out[at : at + length]
        elif rng.random() < 0.3:
            del out[at:]
        else:
            del out[at : at + length]
    return bytes(out)


def swapped(text: bytes, rng: random.Random) -> bytes:
    """JSON with strings, or what stands between them, in each other's places."""
    tokens = text.split(b'"')
    for _ in range(rng.choice((1, 1, 2, 4))):
        tokens[rng.randrange(len(tokens))] = rng.choice(tokens)
    return b'"'.join(tokens)


def cut(data: bytes, rng: random.Random) -> bytes:
    """Ends anywhere; as often near either end as in between."""
    near = rng.randrange(1, min(len(data), 600))
    return data[: rng.choice((rng.randrange(1, len(data)), near, len(data) - near))]


def cut_at_field(data: bytes, rng: random.Random) -> bytes:
    """Ends just before, within or just after a length or count."""
    places = [f.at + rng.choice((-4, 0, 1, f.size, f.size + 4)) for f in fields_of(data)]
    at = rng.choice(places) if places else rng.randrange(len(data))
    return data[: min(max(at, 1), len(data) - 1)]


def flipped(data: bytes, rng: random.Random) -> bytes:
    """One to 32 bits are wrong, in the whole file or in its front."""
    out = bytearray(data)
    end = rng.choice((len(out), len(out), min(len(out), 512)))
    for _ in range(rng.choice((1, 1, 2, 8, 32))):
        out[rng.randrange(end)] ^= 1 << rng.randrange(8)
    return _summed(bytes(out), rng)


def inserted(data: bytes, rng: random.Random) -> bytes:
    at = rng.choice((rng.randrange(len(data)), rng.randrange(min(len(data), 512))))
    return data[:at] + rng.randbytes(rng.choice((1, 2, 3, 64, 5000))) + data[at:]


def removed(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return _summed((data[:at] + data[at + rng.choice((1, 2, 3, 64, 5000)) :]) or b"\0", rng)


def zeroed(data: bytes, rng: random.Random) -> bytes:
    """A lost sector, as a disk or a broken-off download leaves it."""
    at = rng.randrange(0, len(data), 512) if len(data) > 512 else 0
    return data[:at] + bytes(min(512, len(data) - at)) + data[at + 512 :]


def lying(data: bytes, rng: random.Random) -> bytes:
    """One or a few lengths, counts or sizes are wrong, with checksums that fit half of the time."""
    fields = fields_of(data)
    if not fields:
        return mutated(data, rng, head=0.02)
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        lie = rng.choice(fields)
        value, top = lie.read(data), 1 << (8 * lie.size)
        lies = (0, 1, value - 1, value + 1, value * 2, value * 256, top // 2 - 1, top // 2, top - 1)
        data = lie.write(data, rng.choice((*lies, rng.randrange(top))))
    return _summed(data, rng)


def joined(data: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    """Two files one after the other, or the front of one and the back of another."""
    other = rng.choice(others)
    if rng.random() < 0.4:
        return data + other
    return data[: rng.randrange(1, len(data))] + other[rng.randrange(len(other)) :]


def inside(data: bytes, rng: random.Random) -> bytes:
    """An array within an archive is damaged; the archive itself is whole. Another file: any damage."""
    if not data.startswith(b"PK\3\4"):
        return mutated(data, rng, head=rng.choice((0.0, 0.02)))
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        victim = rng.choice(old.namelist())
        for name in old.namelist():
            member = old.read(name)
            harm = rng.choice((lying, flipped, cut_at_field))
            new.writestr(name, harm(member, rng) if name == victim else member)
    return out.getvalue()


def _summed(data: bytes, rng: random.Random) -> bytes:
    """A PNG's checksums are made right half of the time, so that the damage is looked at."""
    return with_png_sums(data) if data.startswith(b"\x89PNG") and rng.random() < 0.5 else data


#: Damage that needs nothing but the file; of this many files in forty.
KINDS: dict[str, tuple[Callable[[bytes, random.Random], bytes], int]] = {
    "cut": (cut, 8),
    "cut at a field": (cut_at_field, 6),
    "bits flipped": (flipped, 8),
    "bytes inserted": (inserted, 2),
    "bytes removed": (removed, 2),
    "sector zeroed": (zeroed, 2),
    "length lies": (lying, 7),
    "inner damage": (inside, 3),
}
PER_FILE = 40


@dataclass(frozen=True)
class Damaged:
    """A damaged file; ``label`` says what was done to which."""

    number: int
    label: str
    seed: Seed
    data: bytes = field(repr=False)


class Corpus:
    """Forty damaged files of each good one; each is made when asked for, from its number alone."""

    def __init__(self, seeds: Sequence[Seed]) -> None:
        self.seeds = seeds
        self._small = [s.data for s in seeds if len(s.data) < 200_000]
        self._kinds = [name for name, (_, share) in KINDS.items() for _ in range(share)]
        self._kinds += ["joined"] * (PER_FILE - len(self._kinds))

    def __len__(self) -> int:
        return PER_FILE * len(self.seeds)

    def __getitem__(self, number: int) -> Damaged:
        # Neighbours are of different files, so that any slice holds all formats.
        kind, seed = self._kinds[number // len(self.seeds)], self.seeds[number % len(self.seeds)]
        rng = random.Random(f"{kind}, {number // len(self.seeds)}, {seed.name}, {seed.modality}")
        if kind == "joined":
            data = joined(seed.data, rng, self._small)
        else:
            data = KINDS[kind][0](seed.data, rng)
        return Damaged(number, f"{seed.name} as {seed.modality}: {kind}", seed, data)

    def __iter__(self) -> Iterator[Damaged]:
        return (self[number] for number in range(len(self)))

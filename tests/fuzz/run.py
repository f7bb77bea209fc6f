"""Fuzz one source: ``python tests/fuzz/run.py TARGET [--seconds 60] [--folder DIR]``.

With Atheris (``pip install atheris``; wheels for Python 3.10 and later on x86-64) its engine is used, which
follows the code that an input reaches; without it, or with ``--driver random``, random damage, which keeps
an input that ended as none before. Inputs at fault are kept in the folder; ``--input FILE`` runs one again.
"""

from __future__ import annotations

import argparse
import collections
import importlib.util
import inspect
import random
import sys
import tempfile
import types
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from support import isolated  # noqa: E402
from support.damage import cut, lying, mutated, swapped  # noqa: E402

MOST_KEPT = 500


class Damager:
    """Damages known inputs; those whose outcome was not seen before become known."""

    def __init__(self, seeds: list[bytes], text: bool) -> None:
        self.known = list(seeds)
        self.seen: set[str] = set()
        self.text = text

    def make(self, rng: random.Random) -> bytes:
        data = rng.choice(self.known)
        for _ in range(rng.choice((1, 1, 1, 2, 4))):
            kind = rng.randrange(8)
            if kind == 0 and len(data) > 1:
                data = cut(data, rng)
            elif kind == 1 and data:
                data = lying(data, rng)
            elif kind == 2:
                other = rng.choice(self.known)
                data = data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other) + 1) :]
            elif kind <= 4 and self.text:
                data = swapped(data, rng)
            else:
                data = mutated(data, rng, head=rng.choice((0.0, 0.02, 0.2)))
        return data

    def learn(self, data: bytes, outcome: str) -> None:
        if outcome not in self.seen and data and len(self.known) < MOST_KEPT:
            self.seen.add(outcome)
            self.known.append(data)


def serve(name: str, folder: Path, first: int, seconds: float, runs: int) -> None:
    """Damaged inputs one after another; each is on disk while it is run."""
    from targets import TARGETS

    target, running = TARGETS[name], folder / "running"
    if running.exists():  # a process before this one died of it
        running.rename(folder / f"died-{first - 1}")
    damager = Damager(target.seeds(), text=name == "manifest")

    def one(number: int) -> str:
        data = damager.make(random.Random(f"{name} {number}"))
        running.write_bytes(data)
        try:
            outcome = target.run(data)
        except BaseException:
            running.rename(folder / f"wrong-{number}")
            raise
        damager.learn(data, outcome)
        return outcome

    isolated.serve(one, range(first, runs), folder, seconds)
    running.unlink(missing_ok=True)


def random_driver(name: str, folder: Path, seconds: float, runs: int) -> isolated.Report:
    def command(first: int) -> list[str]:
        options = [
            "--serve",
            str(first),
            "--folder",
            str(folder),
            "--seconds",
            str(seconds),
            "--runs",
            str(runs),
        ]
        return [str(HERE / "run.py"), name, *options]

    return isolated.run(command, 0)


def atheris_driver(name: str, folder: Path, seconds: float, runs: int) -> None:
    """Does not return: libFuzzer ends the process, with 0 if nothing was found."""
    import atheris
    from targets import TARGETS

    # Functions, not imports: Atheris cannot follow the importer of an editable install.
    for function in set(functions_of("bindrt")):
        atheris.instrument_func(function)
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(TARGETS[name].seeds()):
        (corpus / f"seed-{number}").write_bytes(seed)
    limits = [
        "-timeout=20",
        "-rss_limit_mb=2048",
        "-max_len=300000",
        f"-max_total_time={max(int(seconds), 1)}",
    ]
    options = [*limits, f"-runs={runs}", "-print_final_stats=1", f"-artifact_prefix={folder}/"]

    def one(data: bytes) -> None:
        TARGETS[name].run(data)

    atheris.Setup([sys.argv[0], *options, str(corpus)], one)
    atheris.Fuzz()


def functions_of(package: str) -> Iterator[types.FunctionType]:
    """Every function and method of the package's modules that are loaded."""
    for name in [n for n in sys.modules if n.split(".")[0] == package]:
        things = list(vars(sys.modules[name]).values())
        things += [v for c in things if isinstance(c, type) for v in vars(c).values()]
        for thing in things:
            function = inspect.unwrap(thing) if callable(thing) else thing
            if isinstance(function, types.FunctionType) and function.__module__.split(".")[0] == package:
                yield function


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", help="a source; see tests/fuzz/targets.py")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--runs", type=int, default=10**9)
    parser.add_argument("--folder", type=Path, help="where inputs at fault are kept; else in a new folder")
    parser.add_argument("--driver", choices=("atheris", "random"))
    parser.add_argument("--input", type=Path, help="run this file only")
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.input is not None:
        from targets import TARGETS

        print(TARGETS[given.target].run(given.input.read_bytes()))
        return 0
    folder = given.folder or Path(tempfile.mkdtemp(prefix="bindrt-fuzz-"))
    folder.mkdir(parents=True, exist_ok=True)
    if given.serve is not None:
        serve(given.target, folder, given.serve, given.seconds, given.runs)
        return 0
    driver = given.driver or ("atheris" if importlib.util.find_spec("atheris") else "random")
    if driver == "atheris":
        atheris_driver(given.target, folder, given.seconds, given.runs)
    report = random_driver(given.target, folder, given.seconds, given.runs)
    for outcome, count in collections.Counter(report.outcomes.values()).most_common():
        print(f"{count:7d}  {outcome}")
    print(
        f"{len(report.outcomes)} inputs in {report.seconds:.0f} s, peak {report.peak >> 20} MiB, in {folder}"
    )
    for wrong in report.wrong:
        print(wrong, file=sys.stderr)
    return 1 if report.wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())

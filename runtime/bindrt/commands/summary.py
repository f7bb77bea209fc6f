"""What ``bind-embed`` says at its end: what was embedded, what was not, and what a user should know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bindrt.commands.passed_over import PassedOver
from bindrt.notes import NOTES
from bindrt.statistics import Work

#: So many rows that a store does not have are named one by one.
_TOLD = 10


@dataclass
class Suffix:
    """The files of one suffix that were passed over.

    Attributes:
        example: the first of them.
        doubtful: how many may be media, or could be read with a rule.
    """

    example: PassedOver
    count: int = 0
    doubtful: int = 0

    def add(self, file: PassedOver) -> None:
        self.count += 1
        self.doubtful += not file.is_plain


@dataclass
class Summary:
    """What happened to the inputs of a run, so far.

    Attributes:
        rows: rows that were written.
        failed: those of them that are errors.
        failures: what the first of these say.
        kept: rows of an earlier run that stay.
        changed: files that were embedded again since they have changed.
        retried: inputs that had failed and were tried again.
        passed_over: files of folders that are not media, by suffix.
        notes: how many rows have a note, by its key.
        idle_rules: patterns of rules that no file has fitted.
        gone: rows of files that do not exist any more.
        pruned: whether those rows were removed.
        work: seconds of the threads that prepared inputs, and of the engines.
        store: where rows were loaded; None: nowhere.
        loaded: how many the store has of this output.
        refused: what it did not take, and why.
        damaged: recordings of sensors of which parts could not be read.
        values: how many rows have a value in each column of tables that is embedded.
    """

    rows: int = 0
    failed: int = 0
    failures: list[str] = field(default_factory=list)
    kept: int = 0
    changed: int = 0
    retried: int = 0
    passed_over: dict[str, Suffix] = field(default_factory=dict)
    notes: Counter[str] = field(default_factory=Counter)
    idle_rules: set[str] = field(default_factory=set)
    gone: int = 0
    pruned: bool = False
    work: Work = field(default_factory=Work)
    store: str | None = None
    loaded: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)
    damaged: int = 0
    values: Counter[str] = field(default_factory=Counter)

    def pass_over(self, file: PassedOver) -> None:
        self.passed_over.setdefault(file.suffix, Suffix(file)).add(file)

    def note(self, notes: Mapping[str, object]) -> None:
        """Counts an item's notes. A measured zero is nothing to tell."""
        self.notes.update(key for key, value in notes.items() if value or isinstance(value, str))

    def fail(self, source: str, error: str) -> None:
        """Counts a row that is an error."""
        self.failed += 1
        if len(self.failures) < _TOLD:
            self.failures.append(error if error.startswith(source) else f"{source}: {error}")

    def add(self, other: Summary) -> None:
        """Adds what happened to other inputs."""
        self.rows += other.rows
        self.failed += other.failed
        self.damaged += other.damaged
        self.notes.update(other.notes)
        self.work += other.work
        self.values.update(other.values)
        for name, suffix in other.passed_over.items():
            found = self.passed_over.setdefault(name, Suffix(suffix.example))
            found.count += suffix.count
            found.doubtful += suffix.doubtful

    @property
    def empty_columns(self) -> list[str]:
        """Columns that were to be embedded, and have no value in any row."""
        return sorted(name for name, count in self.values.items() if not count)

    @property
    def doubtful(self) -> int:
        """How much may be left out that was meant: files, values of a column, parts of a recording."""
        passed_over = sum(suffix.doubtful for suffix in self.passed_over.values())
        return passed_over + len(self.empty_columns) + self.damaged

    def line(self, seconds: float) -> str:
        """The numbers that are not zero, in one line."""
        passed_over = sum(suffix.count for suffix in self.passed_over.values())
        gone = "removed since their files are gone" if self.pruned else "of files that are gone (see --prune)"
        files = "file" if passed_over == 1 else "files"
        recordings = "recording" if self.damaged == 1 else "recordings"
        parts = [
            (self.kept, "kept from before"),
            (self.changed, "embedded again, their files have changed"),
            (self.retried, "tried again"),
            (self.failed, "failed (see the error column)" if self.store is None else "failed"),
            (passed_over, f"{files} passed over"),
            (self.damaged, f"{recordings} with parts that cannot be read"),
            (self.gone, gone),
        ]
        return ", ".join([f"{self.rows} rows in {seconds:.1f} s", *(f"{n} {what}" for n, what in parts if n)])

    def details(self) -> Iterator[str]:
        """A line for each suffix that was passed over and for each kind of note."""
        for name, suffix in sorted(self.passed_over.items()):
            yield (
                f"passed over: {suffix.count} {name or 'without a suffix'}, for example "
                f"{suffix.example.source} ({suffix.example.remedy})"
            )
        for pattern in sorted(self.idle_rules):
            yield f"no file fits the rule {pattern!r}"
        for name in self.empty_columns:
            yield f"no row has a value in the column {name!r}"
        for key, count in sorted(self.notes.items()):
            yield f"{key}: {count} {'row' if count == 1 else 'rows'}. {NOTES.get(key, '')}".rstrip()
        if self.store is not None:
            yield f"{self.store} has {self.loaded} of the rows"
            yield from (f"failed: {failure}" for failure in self.failures)
        for what, why in self.refused[:_TOLD]:
            yield f"refused by the store: {what}: {why}"
        if len(self.refused) > _TOLD:
            yield f"refused by the store: {len(self.refused)} rows in all (see --json)"

    @property
    def is_silent(self) -> bool:
        """Whether every input has a row with a vector, and there is nothing to tell about any."""
        told = self.failed or self.passed_over or self.notes or self.gone or self.idle_rules
        return not (told or self.doubtful)

    def as_json(self) -> dict[str, Any]:
        """The same for programs; docs/bind-embed.md lists the fields."""
        return {
            "rows": self.rows,
            "failed": self.failed,
            "kept": self.kept,
            "changed": self.changed,
            "retried": self.retried,
            "gone": self.gone,
            "pruned": self.gone if self.pruned else 0,
            "passed_over": {
                name: {"count": s.count, "example": s.example.source, "remedy": s.example.remedy}
                for name, s in sorted(self.passed_over.items())
            },
            "idle_rules": sorted(self.idle_rules),
            **({"damaged_recordings": self.damaged} if self.damaged else {}),
            **({"empty_columns": self.empty_columns} if self.empty_columns else {}),
            "notes": {
                key: {"rows": count, "meaning": NOTES.get(key, "")}
                for key, count in sorted(self.notes.items())
            },
            "prepare_seconds": round(self.work.prepare, 3),
            "engine_seconds": round(self.work.engine, 3),
            **({} if self.store is None else self._store_as_json()),
        }

    def _store_as_json(self) -> dict[str, Any]:
        refused = [{"item": what, "reason": why} for what, why in self.refused]
        return {
            "store": self.store,
            "loaded": self.loaded,
            "refused": refused,
            "first_failures": self.failures,
        }

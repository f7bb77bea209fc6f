"""What of a recording was not read, and why: counted and named."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Report:
    """What became of a recording's messages. It grows while the recording is read.

    Attributes:
        read: messages that were read, by topic.
        unknown: messages of types that bindrt does not read, by topic and type.
        failed: messages that could not be read, by topic, and the first error of each.
        damaged: parts of the file (chunks) that could not be unpacked.
        cut: where and how the file ends too early; empty if it is whole.
        notes: what else a user should know.
    """

    read: dict[str, int] = field(default_factory=dict)
    unknown: dict[tuple[str, str], int] = field(default_factory=dict)
    failed: dict[str, tuple[int, str]] = field(default_factory=dict)
    damaged: int = 0
    cut: str = ""
    notes: list[str] = field(default_factory=list)

    def add(self, topic: str) -> None:
        self.read[topic] = self.read.get(topic, 0) + 1

    def pass_over(self, topic: str, kind: str, count: int = 1) -> None:
        self.unknown[topic, kind] = self.unknown.get((topic, kind), 0) + count

    def fail(self, topic: str, error: object) -> None:
        count, first = self.failed.get(topic, (0, str(error)))
        self.failed[topic] = count + 1, first

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    @property
    def is_whole(self) -> bool:
        """Whether all could be read that bindrt reads.

        >>> Report(damaged=1).is_whole
        False
        """
        return not (self.cut or self.damaged or self.failed)

    def lines(self) -> list[str]:
        """What a user should know, a sentence a line; none if all was read.

        >>> report = Report(cut="it ends within a chunk, at byte 1200")
        >>> report.pass_over("/tf", "tf/tfMessage")
        >>> report.lines()
        ['it ends within a chunk, at byte 1200', '/tf: 1 message of type tf/tfMessage was passed over']
        """
        found = [self.cut] if self.cut else []
        if self.damaged:
            chunks = "chunk was" if self.damaged == 1 else "chunks were"
            found.append(f"{self.damaged} damaged {chunks} left out")
        found += [f"{t}: {_messages(n)} could not be read; {error}" for t, (n, error) in self.failed.items()]
        found += [
            f"{t}: {_messages(n)} of type {kind} {'was' if n == 1 else 'were'} passed over"
            for (t, kind), n in self.unknown.items()
        ]
        return found + self.notes

    def as_dict(self) -> dict[str, object]:
        """The same for JSON."""
        return {
            "read": self.read,
            "unknown": [{"topic": t, "type": kind, "messages": n} for (t, kind), n in self.unknown.items()],
            "failed": [{"topic": t, "messages": n, "error": e} for t, (n, e) in self.failed.items()],
            "damaged_chunks": self.damaged,
            "cut": self.cut,
            "notes": self.notes,
        }


def _messages(count: int) -> str:
    return f"{count} {'message' if count == 1 else 'messages'}"

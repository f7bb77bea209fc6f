"""What a call returns: the outcomes of its modalities, together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields

from bindrt.batching import Outcome
from bindrt.bundle.space import with_fewer_views
from bindrt.embeddings import DeviceEmbeddings, Embeddings
from bindrt.embeddings.sources import sources_of


def collected(
    space: str, items: Mapping[str, Iterable[object]], outcomes: Mapping[str, Outcome], normalize: bool
) -> Embeddings:
    """The vectors of a call: on a device, if they went there.

    Args:
        items: those that were given, by modality.
    """
    host = Embeddings(
        vectors={m: o.rows for m, o in outcomes.items()},
        space=with_fewer_views(space, {m: o.notes.values() for m, o in outcomes.items()}),
        normalized=normalize,
        errors={(m, i): error for m, o in outcomes.items() for i, error in o.errors.items()},
        notes={(m, i): notes for m, o in outcomes.items() for i, notes in o.notes.items()},
        sources={m: sources_of(given) for m, given in items.items()},
    )
    there = {m: o.on_device for m, o in outcomes.items() if o.on_device is not None}
    if not there:
        return host
    return DeviceEmbeddings(**{each.name: getattr(host, each.name) for each in fields(host)}, on_device=there)

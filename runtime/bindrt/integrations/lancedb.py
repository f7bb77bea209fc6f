"""LanceDB: an embedding function for each modality."""

from __future__ import annotations

from typing import Any

from bindrt.columns import as_items
from bindrt.errors import Error
from bindrt.integrations.columns import ColumnEmbedder
from bindrt.integrations.libraries import tool

_EMBEDDINGS = tool("lancedb.embeddings", "lancedb")
_PYDANTIC = tool("pydantic", "lancedb")


@_EMBEDDINGS.register("bindrt")
class Embed(_EMBEDDINGS.EmbeddingFunction):  # type: ignore[misc,name-defined,unused-ignore]
    """Embeds a column of one modality; it is searched for by texts, or by items of another modality.

    An item that cannot be embedded has no vector: None, which LanceDB knows as one. :attr:`errors` says why.

    Example:
        embed = get_registry().get("bindrt").create(bundle="imagebind.bind", modality="image")
        class Photo(LanceModel):
            path: str = embed.SourceField()
            vector: Vector(embed.ndims()) = embed.VectorField()
    """

    bundle: str = "tiny"
    modality: str = "image"
    #: of what is searched for
    query: str = "text"
    max_retries: int = 0  # what fails fails again

    _embedders: dict[str, ColumnEmbedder] = _PYDANTIC.PrivateAttr(default_factory=dict)
    _errors: list[str | None] = _PYDANTIC.PrivateAttr(default_factory=list)

    @property
    def errors(self) -> list[str | None]:
        """Why each of the last items has no vector; None where it has one."""
        return self._errors

    def ndims(self) -> int:
        return self._embedder(self.modality).model.embed_dim

    def compute_source_embeddings(self, items: Any, *args: Any, **kwargs: Any) -> list[Any]:
        """A vector for each item, or None."""
        found = self._embedder(self.modality).embed({"item": as_items(self.modality, items)})[self.modality]
        self._errors = found.errors
        return [None if row[0] != row[0] else row for row in found.vectors]

    def compute_query_embeddings(self, query: Any, *args: Any, **kwargs: Any) -> list[Any]:
        """The vector of what is searched for.

        Raises:
            Error: it cannot be embedded.
        """
        found = self._embedder(self.query).embed({"item": as_items(self.query, query)})[self.query]
        if problem := next((error for error in found.errors if error), None):
            raise Error("", problem)
        return list(found.vectors)

    def _embedder(self, modality: str) -> ColumnEmbedder:
        return self._embedders.setdefault(modality, ColumnEmbedder(self.bundle, {modality: "item"}))

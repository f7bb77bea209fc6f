"""bindrt in other people's data tools: Ray Data, Daft, Hugging Face datasets, LanceDB, Spark (docs/scale.md).

A module a tool, which imports the tool when it is used. All of them embed by :class:`ColumnEmbedder`.
"""

from __future__ import annotations

from bindrt.integrations.columns import ColumnEmbedder, Embedded

__all__ = ["ColumnEmbedder", "Embedded"]

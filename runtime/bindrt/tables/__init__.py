"""Tables as inputs: Parquet, Arrow, CSV, JSON lines, saved datasets, tar shards; on this machine or URLs.

``bind-embed --column`` and ``Model.stream`` read them in blocks of rows, of which some columns are embedded
(docs/scale.md).
"""

from __future__ import annotations

from bindrt.tables.blocks import Block, RowsBlock
from bindrt.tables.places import is_table, table_blocks

__all__ = ["Block", "RowsBlock", "is_table", "table_blocks"]

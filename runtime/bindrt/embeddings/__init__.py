"""What ``embed`` returns: vectors by modality, with the errors and notes of single items."""

from bindrt.embeddings.embeddings import Embeddings, Nearest
from bindrt.embeddings.on_device import DeviceEmbeddings
from bindrt.embeddings.vectors import Vectors, unit_rows

__all__ = ["DeviceEmbeddings", "Embeddings", "Nearest", "Vectors", "unit_rows"]

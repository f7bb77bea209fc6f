"""The seven modalities, a file each."""

from bindrt.modalities.modality import ENCODERS, MODALITIES, Modality

__all__ = ["ENCODERS", "MODALITIES", "Modality"]

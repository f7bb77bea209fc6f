"""A model repository for NVIDIA Triton, from a bundle: ``bind-export --triton``. Needs no torch."""

from bindrt_export.triton.repository import ENCODER_BACKENDS, FORMS, RepositoryRequest, write_repository

__all__ = ["ENCODER_BACKENDS", "FORMS", "RepositoryRequest", "write_repository"]

"""What is here and what is missing: ``bindrt.doctor()`` and ``python -m bindrt doctor``."""

from bindrt.diagnosis.checkup import doctor
from bindrt.diagnosis.report import Part, Report

__all__ = ["Part", "Report", "doctor"]

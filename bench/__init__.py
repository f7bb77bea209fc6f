"""Measurements: ``python -m bench``. Every published number names the command here that made it."""

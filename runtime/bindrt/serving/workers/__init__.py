"""Several processes behind one port: ``bind-serve --workers N``."""

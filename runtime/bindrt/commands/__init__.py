"""The commands ``bind-embed``, ``bind-search`` and ``bind-bench``."""

"""What live sensors and long recordings cost: work a window, delays, memory that stays flat.

Each part is a module with ``SUMMARY``, ``add_options(parser)`` and ``run(options)``, which returns what was
measured as JSON can hold it and prints a line or two.
"""

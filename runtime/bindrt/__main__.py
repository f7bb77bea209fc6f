"""``python -m bindrt`` is the command ``bindrt``."""

from __future__ import annotations

import sys

from bindrt.commands.front import main

if __name__ == "__main__":
    sys.exit(main())

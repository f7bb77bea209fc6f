"""Files of every container and codec that can be made here, beside a full decode: docs/formats.md's table."""

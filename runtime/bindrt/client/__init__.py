"""``bindrt.Client(url)``: a model on a server, used as one here. docs/client.md."""

from bindrt.client.client import Client

__all__ = ["Client"]

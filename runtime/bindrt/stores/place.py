"""Where a store is, as a URL: its last part names the collection, table or class."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from bindrt.errors import OptionError

#: How a URL of each kind looks.
FORMS = {
    "qdrant": "qdrant://HOST:6333/COLLECTION or qdrant:FOLDER/COLLECTION",
    "milvus": "milvus://HOST:19530/COLLECTION or milvus:FILE.db/COLLECTION",
    "postgresql": "postgresql://USER@HOST/DATABASE/TABLE",
    "weaviate": "weaviate://HOST:8080/CLASS",
    "lancedb": "lancedb:FOLDER/TABLE",
}
_SCHEME = re.compile(rf"({'|'.join(FORMS)}):")
_NAME = re.compile(r"[A-Za-z_]\w{0,62}")


@dataclass(frozen=True)
class StorePlace:
    """A store, and the collection in it.

    Attributes:
        kind: one of :data:`FORMS`.
        host: with its port, and a user where the URL has one; empty for a store in a file or folder.
        path: what stands between the host and the name: a database, a file, a folder.
        name: of the collection, table or class.
        options: what stands behind ``?``.
    """

    kind: str
    host: str
    path: str
    name: str
    options: tuple[tuple[str, str], ...] = ()

    @staticmethod
    def is_one(text: str) -> bool:
        """Whether a text is such a URL.

        >>> StorePlace.is_one("qdrant://localhost:6333/photos"), StorePlace.is_one("photos.index")
        (True, False)
        """
        return _SCHEME.match(text) is not None

    @classmethod
    def parse(cls, text: str) -> StorePlace:
        """The place that a URL names.

        Raises:
            OptionError: it has no name of a collection, or no host or path.

        >>> StorePlace.parse("qdrant://localhost:6333/photos").name
        'photos'
        """
        parts = urlsplit(text)
        form = FORMS[parts.scheme]
        path, _, name = unquote(parts.path).rpartition("/")
        if not _NAME.fullmatch(name):
            raise OptionError(text, "its last part is no name of letters, digits and _", f"give {form}")
        if not parts.netloc and not path:
            raise OptionError(text, "it does not say where the store is", f"give {form}")
        return cls(parts.scheme, parts.netloc, path, name, tuple(parse_qsl(parts.query)))

    @property
    def is_local(self) -> bool:
        """Whether it is a file or folder on this machine."""
        return not self.host

    def url(self) -> str:
        """The server's URL without the name; ``?https=1`` asks for TLS."""
        scheme = "https" if dict(self.options).get("https") in ("1", "true") else "http"
        return urlunsplit((scheme, self.host, self.path, "", ""))

    def __str__(self) -> str:
        host = self.host.rpartition("@")[2]  # a password is nobody's business
        return f"{self.kind}:{f'//{host}' if host else ''}{self.path}/{self.name}"

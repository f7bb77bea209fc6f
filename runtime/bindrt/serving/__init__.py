"""Serving: a bundle behind the protocols that clients already speak. docs/serving.md.

``bindrt.serving.app(model)`` is an ASGI application; ``bind-serve`` runs it. Needs the extra ``serve``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Union

from bindrt.errors import Error
from bindrt.extras import install
from bindrt.model import Model
from bindrt.serving.options import ServeOptions

if TYPE_CHECKING:
    from starlette.types import ASGIApp

__all__ = ["ServeOptions", "app"]

#: A model, or several by the names that requests call them.
Models = Union[Model, Mapping[str, Model]]


def app(model: Models, options: ServeOptions | None = None) -> ASGIApp:
    """The ASGI application of one model, or of several.

    The models are warmed up once the application starts; until then ``/ready`` says no. They stay open when
    it ends: whoever loaded them closes them.

    Args:
        model: a loaded model, which is called as its bundle is, without ``.bind``; or models by name. The
            first one answers requests that name none.
        options: limits and what is served; None: the defaults.

    Raises:
        Error: the extra ``serve`` is not installed.
        OptionError: no model, or a name that is none.

    Example:
        >>> import bindrt.serving
        >>> application = bindrt.serving.app(bindrt.load("tiny"))
        >>> callable(application)
        True
    """
    try:
        from bindrt.serving.application import application
    except ImportError as error:
        raise Error("bindrt.serving", f"{error.name} is not installed", install("serve")) from None
    return application(model, options or ServeOptions())

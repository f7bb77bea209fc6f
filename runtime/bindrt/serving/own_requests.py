"""Requests of bindrt's own protocol: items by modality, as a form or as JSON."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any, Union

from starlette.requests import Request

from bindrt.errors import InputError, OptionError
from bindrt.item_options import ItemOption, check_options, item_options
from bindrt.modalities import MODALITIES
from bindrt.serving.faults import Fault
from bindrt.serving.forms import FormPart, form_parts
from bindrt.serving.protocol import BYTES, Contents
from bindrt.serving.replies import json_body
from bindrt.serving.service import Service
from bindrt.serving.taking import Placed, file_item, ready_item

#: The content type of a part that is the model's input already: NumPy's ``.npy``.
READY = "application/x-npy"
#: Parts beside the items: model, normalize, encoding_format, options.
_OTHERS = 64
#: Bytes of a path. No file of a modality is such a short text in one line.
_NAME = 260
NEITHER = (
    "the body: it is neither JSON nor a form; curl -F sends a form, -H 'Content-Type: application/json' JSON"
)
_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_Value = Union[str, bool, int, float, list[str]]
#: Fields of a request by name, each with its JSON schema.
Fields = Mapping[str, Mapping[str, Any]]
#: The JSON schema of a field that is true or false.
FLAG: Mapping[str, Any] = {"enum": [True, False, "true", "false", "1", "0", "yes", "no"]}


@dataclass
class OwnRequest:
    """What a request has.

    Attributes:
        items: by modality.
        texts: lists of texts that are no items, by their names: ``labels``.
        fields: all else, as texts: options of items, and of the request.
    """

    items: dict[str, list[Placed]] = field(default_factory=dict)
    texts: dict[str, list[str]] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)

    def flag(self, name: str, default: bool) -> bool:
        """A field that is true or false.

        Raises:
            OptionError: it is neither.
        """
        text = self.fields.get(name, str(default)).lower()
        if text not in _FLAGS:
            raise OptionError(name, f"{text[:40]!r} is not true or false", f"leave it out for {default}")
        return _FLAGS[text]

    def one_of(self, name: str, known: tuple[str, ...]) -> str:
        """A field that has one of some values; the first one if it is left out.

        Raises:
            OptionError: it has another.
        """
        text = self.fields.get(name, known[0])
        if text not in known:
            raise OptionError(name, f"there is no {text[:40]!r}", f"one of {', '.join(known)}")
        return text


def own_body(fields: Fields, lists: Fields | None = None, required: Sequence[str] = ()) -> Contents:
    """What a request may have, as JSON schemas: items by modality, options of items, and other fields."""
    texts = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
    json, form = {}, {}
    for name, modality in MODALITIES.items():
        is_text = modality.tokens is not None
        what = {"description": "texts" if is_text else "files, as data: URIs"}
        json[name] = {**texts, **what}
        form[name] = {"type": "array", "items": {"type": "string"} if is_text else BYTES}
    for name, schema in (lists or {}).items():
        json[name] = {**texts, **schema}
        form[name] = {"type": "array", "items": {"type": "string"}, **schema}
    for name, option in _named_options():
        json[name] = {"type": ["string", "number", "boolean"], "description": option.help}
        form[name] = {"type": "string", "description": option.help}
    more = {"type": "object", "required": list(required), "additionalProperties": False}
    return {
        "application/json": {**more, "properties": {**json, **fields}},
        "multipart/form-data": {**more, "properties": {**form, **fields}},
    }


def _named_options() -> Iterator[tuple[str, ItemOption]]:
    """The options of items; those that several modalities have also for one of them: ``depth.unit``."""
    for name, option in item_options().items():
        yield name, option
        if len(option.readers) > 1:
            yield from ((f"{modality}.{name}", option) for modality in option.readers)


async def own_request(
    service: Service, request: Request, fields: Collection[str], lists: Collection[str] = ()
) -> OwnRequest:
    """Reads a request.

    Args:
        fields: those that are no options of items.
        lists: names of lists of texts that are no items.

    Raises:
        Error: an item or an option is none.
        Fault: the body is damaged, or neither JSON nor a form.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        return await _of_json(service, request, fields, lists)
    if kind == "multipart/form-data":
        parts = await form_parts(request, service.options.max_items + _OTHERS)
        return _of_form(service, parts, fields, lists)
    raise Fault(415, NEITHER, "WrongType")


async def _of_json(
    service: Service, request: Request, fields: Collection[str], lists: Collection[str]
) -> OwnRequest:
    body = await json_body(request, dict[str, _Value])
    service.require_at_most(sum(len(_list(value)) for name, value in body.items() if name in MODALITIES))
    found, given = OwnRequest(), {}
    for name, value in body.items():
        if name in MODALITIES:
            given[name] = [(f"{name}[{i}]", text) for i, text in enumerate(_list(value))]
        elif name in lists:
            found.texts[name] = _list(value)
        else:
            found.fields[name] = _text(name, value)
    options = _options(found.fields, fields, set(given))
    for modality, each in given.items():
        if MODALITIES[modality].tokens is not None:
            found.items[modality] = [service.text(text, place) for place, text in each]
        else:
            found.items[modality] = await service.files(request, modality, each, _own(options, modality))
    return found


def _of_form(
    service: Service, parts: Iterable[FormPart], fields: Collection[str], lists: Collection[str]
) -> OwnRequest:
    found, items = OwnRequest(), []
    for part in parts:
        if part.name in MODALITIES:
            items.append(part)
        elif part.name in lists:
            found.texts.setdefault(part.name, []).append(part.text)
        else:
            found.fields[part.name] = part.text
    options = _options(found.fields, fields, {part.name for part in items})
    for part in items:
        placed = found.items.setdefault(part.name, [])
        placed.append(_item(service, part, f"{part.name}[{len(placed)}]", options))
    return found


def _item(service: Service, part: FormPart, place: str, options: Mapping[str, str]) -> Placed:
    if part.kind == READY:
        return ready_item(part.name, part.take(), place, service.limits)
    if MODALITIES[part.name].tokens is not None:
        return service.text(part.text, place)
    if not part.is_file and part.size < _NAME and part.text.isprintable():
        raise InputError(
            place, f"it is the text {part.text[:40]!r}, not a file", f"curl -F {part.name}=@FILE sends a file"
        )
    return file_item(part.name, part.take(), place, _own(options, part.name))


def _options(given: Mapping[str, str], fields: Collection[str], modalities: Set[str]) -> dict[str, str]:
    """The options of items.

    Raises:
        OptionError: there is no such option, it cannot have this value, or no item of the request has it.
    """
    options = {name: value for name, value in given.items() if name not in fields}
    for name, value in options.items():
        modality, _, option = name.rpartition(".")
        if option not in item_options() or modality not in ("", *item_options()[option].readers):
            known = f"items are {', '.join(MODALITIES)}; files have {', '.join(item_options())}"
            raise OptionError("the request", f"no modality has no option {name[:40]!r}", known)
        check_options({option: value}, modality or None, "the request")
        having = (modality,) if modality else item_options()[option].readers
        if not modalities & set(having):
            raise OptionError(
                name, f"only {', '.join(having)} files have this option, and there is none", "leave it out"
            )
    return options


def _own(options: Mapping[str, str], modality: str) -> dict[str, str]:
    """Those options that a modality has: ``unit``, and ``depth.unit`` for it alone, which goes before."""
    shared = {
        name: value
        for name, value in options.items()
        if "." not in name and modality in item_options()[name].readers
    }
    alone = {
        name.removeprefix(f"{modality}."): value
        for name, value in options.items()
        if name.startswith(f"{modality}.")
    }
    return {**shared, **alone}


def _list(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return value
    raise InputError("the request", f"{str(value)[:40]} is not a text or a list of texts", "send one")


def _text(name: str, value: Any) -> str:
    if isinstance(value, list):
        raise OptionError(name[:40], "it is a list", "send one value")
    return str(value).lower() if isinstance(value, bool) else str(value)

"""Sentences that a class's name is put into, as named lists: ``templates="imagenet"``."""

from __future__ import annotations

from collections.abc import Iterable

from bindrt.errors import InputError, OptionError

#: The label alone.
PLAIN = ("{}",)

#: The 80 sentences that CLIP's authors published for ImageNet. ImageBind's paper takes them for every
#: modality.
IMAGENET = (
    "a bad photo of a {}.",
    "a photo of many {}.",
    "a sculpture of a {}.",
    "a photo of the hard to see {}.",
    "a low resolution photo of the {}.",
    "a rendering of a {}.",
    "graffiti of a {}.",
    "a bad photo of the {}.",
    "a cropped photo of the {}.",
    "a tattoo of a {}.",
    "the embroidered {}.",
    "a photo of a hard to see {}.",
    "a bright photo of a {}.",
    "a photo of a clean {}.",
    "a photo of a dirty {}.",
    "a dark photo of the {}.",
    "a drawing of a {}.",
    "a photo of my {}.",
    "the plastic {}.",
    "a photo of the cool {}.",
    "a close-up photo of a {}.",
    "a black and white photo of the {}.",
    "a painting of the {}.",
    "a painting of a {}.",
    "a pixelated photo of the {}.",
    "a sculpture of the {}.",
    "a bright photo of the {}.",
    "a cropped photo of a {}.",
    "a plastic {}.",
    "a photo of the dirty {}.",
    "a jpeg corrupted photo of a {}.",
    "a blurry photo of the {}.",
    "a photo of the {}.",
    "a good photo of the {}.",
    "a rendering of the {}.",
    "a {} in a video game.",
    "a photo of one {}.",
    "a doodle of a {}.",
    "a close-up photo of the {}.",
    "a photo of a {}.",
    "the origami {}.",
    "the {} in a video game.",
    "a sketch of a {}.",
    "a doodle of the {}.",
    "a origami {}.",
    "a low resolution photo of a {}.",
    "the toy {}.",
    "a rendition of the {}.",
    "a photo of the clean {}.",
    "a photo of a large {}.",
    "a rendition of a {}.",
    "a photo of a nice {}.",
    "a photo of a weird {}.",
    "a blurry photo of a {}.",
    "a cartoon {}.",
    "art of a {}.",
    "a sketch of the {}.",
    "a embroidered {}.",
    "a pixelated photo of a {}.",
    "itap of the {}.",
    "a jpeg corrupted photo of the {}.",
    "a good photo of a {}.",
    "a plushie {}.",
    "a photo of the nice {}.",
    "a photo of the small {}.",
    "a photo of the weird {}.",
    "the cartoon {}.",
    "art of the {}.",
    "a drawing of the {}.",
    "a photo of the large {}.",
    "a black and white photo of a {}.",
    "the plushie {}.",
    "a dark photo of a {}.",
    "itap of a {}.",
    "graffiti of the {}.",
    "a toy {}.",
    "itap of my {}.",
    "a photo of a cool {}.",
    "a photo of a small {}.",
    "a tattoo of the {}.",
)

#: The lists that have a name.
NAMED = {"imagenet": IMAGENET, "plain": PLAIN}
_EXAMPLE = 'for example templates=["a photo of {}", "a drawing of {}"], or "imagenet"'


def chosen_templates(templates: object) -> tuple[str, ...]:
    """Texts with ``{}`` where the label goes; the label alone for None.

    Args:
        templates: such texts, or the name of a list: ``"imagenet"`` or ``"plain"``.

    Raises:
        OptionError: not a list of such texts, and not the name of one.
        InputError: one of them has no ``{}``.

    >>> chosen_templates(["a photo of {}", "{}"])
    ('a photo of {}', '{}')
    >>> len(chosen_templates("imagenet"))
    80
    """
    if templates is None:
        return PLAIN
    if isinstance(templates, str) and templates in NAMED:
        return NAMED[templates]
    listed = isinstance(templates, Iterable) and not isinstance(templates, (str, bytes))
    found: tuple[str, ...] = tuple(templates) if listed else ()  # type: ignore[arg-type]
    if not found:
        raise OptionError("templates", "not a list of texts", _EXAMPLE)
    for index, template in enumerate(found):
        if not isinstance(template, str) or "{}" not in template:
            raise InputError(f"templates[{index}]", "not a text with {} where the label goes", _EXAMPLE)
    return found

"""Random texts, and their CLIP tokens by ``tokenizers`` alone."""

from __future__ import annotations

import random

from bindrt.modalities.steps.constants import TEXT_END, TEXT_LENGTH, TEXT_START
from bindrt.modalities.steps.tokenizer import tokenizer
from bindrt.modalities.text import clean

_ASCII = [chr(code) for code in range(128)]
_LINES = """
the of a photo dog dogs driving strawberry antidisestablishmentarianism aaaaaaab xxxxyy zq qz
don't can't we've they're I'll he'd I'm 'tis rock'n'roll '' 's 'S 'lx ''s -- ... !!! a_b x1y2 2024 3.14
C++ <b> <| <|endoftext|> <|startoftext|> &amp; &lt;b&gt; & R&D html&nbsp;space café CAFÉ naïve ﬁnal
“quoted” it’s ſtreet İstanbul Straße 東京 тест ９９ 12½ ²³ ✔ 👍🏽 âœ” ã‚\xa0 \x1b[0m \ufeff \u200b e\u0301
"""
_WORDS = _LINES.split()
_SPACES = (" ", " ", " ", " ", "  ", "\t", "\n", "\r\n", "\r", "\x0b", "\x0c", "\x1f", "\xa0", "\u3000")


def random_text(rng: random.Random) -> str:
    """A text of words, of any characters of ASCII, or of any at all; most short, some long."""
    count = min(int(rng.expovariate(1 / 8)), 400)
    kind = rng.randrange(4)
    if kind == 0:
        return "".join(rng.choices(_ASCII, k=4 * count))
    if kind == 1:
        return "".join(rng.choice("abcdefst'ABS. 19-") for _ in range(4 * count))
    text = "".join(rng.choice(_WORDS) + rng.choice(_SPACES) for _ in range(count))
    if kind == 2:
        return text
    at = rng.randrange(len(text) + 1)
    return text[:at] + chr(rng.choice((rng.randrange(0x250), rng.randrange(0x30000)))) + text[at:]


def plain_text(rng: random.Random) -> str:
    """A text of printable ASCII."""
    letters = rng.choice(("abcdefghijklmnopqrstuvwxyz", "etaoin shrdlu", "".join(map(chr, range(32, 127)))))
    text = "".join(rng.choices(letters + "  '", k=min(int(rng.expovariate(1 / 40)), 900)))
    return text.replace("&", " ")


def tokens_of(text: str) -> list[int]:
    """The ids that ``tokenizers`` gives: start, at most 75 tokens, end, zeros to 77."""
    cleaned = clean(text).encode("utf-8", "replace").decode("utf-8")
    found = tokenizer().encode(cleaned, add_special_tokens=False).ids[: TEXT_LENGTH - 2]
    ids = [TEXT_START, *found, TEXT_END]
    return ids + [0] * (TEXT_LENGTH - len(ids))

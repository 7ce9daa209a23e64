"""Keywords of short texts, titles and searches, in any language and without a dictionary."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

MOST = 8
"""Words that one text gives at most, the first ones."""

RUN = re.compile(r"([぀-ヿ㐀-䶿一-鿿]+)|([^\W_぀-ヿ㐀-䶿一-鿿]+)")
"""A run of Chinese or Japanese characters, or a word of letters and digits of any other script."""

STOP = frozenset(
    {
        "and", "the", "for", "with", "from", "your", "you", "our", "all", "any", "are", "not", "new",
        "plus", "set", "pack", "pcs", "size", "per", "what", "where", "how", "buy", "best", "cheap", "only", "other",
    }
)  # fmt: skip
STOP_CHARACTERS = frozenset("的了和与及是在有也就都而或我你他她它们这那个款买")
SHORTEST, LONGEST = 3, 32


@lru_cache(maxsize=50_000)
def words(text: str) -> tuple[str, ...]:
    """The first MOST different keywords of a text, in its order.

    Text of Chinese and Japanese gives each pair of neighbouring characters, since no spaces part its words;
    other scripts give words of 3 to 32 characters. Stop words, numbers and sizes, and pairs with a character
    that only binds others are left out.
    """
    found = dict.fromkeys(_all(unicodedata.normalize("NFKC", text).casefold()))
    return tuple(found)[:MOST]


def _all(text: str) -> Iterator[str]:
    for run, word in RUN.findall(text):
        if run:
            pairs = [run] if len(run) == 1 else [run[place : place + 2] for place in range(len(run) - 1)]
            yield from (pair for pair in pairs if not STOP_CHARACTERS.intersection(pair))
        elif SHORTEST <= len(word) <= LONGEST and word not in STOP and not word[0].isdigit():
            yield word

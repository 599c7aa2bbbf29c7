"""How words are found: what is searched and what is asked for are cut into the same plain words.

Case, accents and punctuation make no difference. A word of three letters or more is also found as the
beginning of a longer one; a shorter one only as it stands. Nothing that is typed has a meaning of its
own, so no question can be wrong.
"""

import re
import unicodedata
from collections.abc import Sequence
from itertools import groupby

BEGINNING_MIN = 3  # letters from which a word also stands for those that begin with it
ASKED_MAX = 12
_WORD = re.compile(r"[^\W_]+")


def plain(text: str) -> tuple[str, ...]:
    """The words of *text*, in order, without case and accents."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(one for one in apart if not unicodedata.combining(one))
    return tuple(_WORD.findall(kept.casefold()))


def asked(text: str) -> tuple[str, ...]:
    """What to look for, each once; what is beyond the first dozen words is left out."""
    return tuple(dict.fromkeys(plain(text)))[:ASKED_MAX]


def found(words: Sequence[str], sought: Sequence[str]) -> bool:
    """Whether every word that is sought is among *words*."""
    return all(any(_fits(one, word) for one in words) for word in sought)


def marked(text: str, sought: Sequence[str]) -> tuple[tuple[str, bool], ...]:
    """*text* in parts, each with whether it was sought; together they are the text."""
    parts, end = list[tuple[str, bool]](), 0
    for word in _WORD.finditer(text):
        hit = any(_fits(one, other) for one in plain(word[0]) for other in sought)
        parts += [(text[end : word.start()], False), (word[0], hit)]
        end = word.end()
    parts.append((text[end:], False))
    runs = groupby((one for one in parts if one[0]), key=lambda part: part[1])
    return tuple(("".join(piece for piece, _ in run), hit) for hit, run in runs)


def _fits(word: str, sought: str) -> bool:
    return word == sought or (len(sought) >= BEGINNING_MIN and word.startswith(sought))

"""The words that no page, label or message says, and the few places where one of them may stand."""

import re
from collections.abc import Iterator

NEVER = re.compile(
    r"""\b(?:
      approv\w* | authori[sz]\w* | pre-?clear\w* | clear(?:ed|s|ance|ing)? | licen[sc]\w* | permit\w*
    | gat(?:e|ed|es|ing) | hold(?:s|ing)? | block(?:s|ed|ing)? | embargo\w* | checkpoint\w*
    | pass(?:ed|es|ing)? | fail(?:ed|s|ing|ure|ures)? | (?:un)?safe(?:ly|ty)? | certif\w* | complian\w*
    | deadline\w* | submit\w* | review\w* | must | requir\w* | reject\w* | deny | denied | denies
    | declin\w* | refus\w* | not[ ]affected | hacker\w* | attacker\w* | dangerous | trusted | polic\w*
    | caisi | caissi | gold[ ]eagle | scores?
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)
ALLOWED = {
    "TLP:CLEAR": "the standard's own label",
    "another trusted partner": "the order's own word, of the developer's planned release",
    "line Version must say": "an instruction to an operator about its own machine",
    "release shown must be": "as above",
    "it must be": "as above",
}


def said(text: str) -> Iterator[str]:
    """Each never-word of *text* outside its allowed contexts, with the words around it."""
    flat = " ".join(text.split())
    for context in ALLOWED:
        flat = re.sub(re.escape(context), " ", flat, flags=re.IGNORECASE)
    for found in NEVER.finditer(flat):
        yield flat[max(0, found.start() - 40) : found.end() + 20]

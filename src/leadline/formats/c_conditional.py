"""C source as it is where a macro is not defined: its conditional parts resolved, nothing else.

Challenge sources keep flaw and repair in one file, told apart by ``PATCHED``. Whoever is to find the
flaw must see the text without the repair. Only conditions on such macros alone are resolved; one that
mixes them with others is left as it stands, and `mentions` then tells so.

Source: ISO C11, 6.10.1 (conditional inclusion).
"""

import re
from dataclasses import dataclass

from leadline.core.errors import Invalid

DEPTH_MAX = 256
CONDITION_LENGTH_MAX = 4095
_DIRECTIVE = re.compile(r"[ \t]*#[ \t]*(ifdef|ifndef|if|elif|else|endif)\b(.*)", re.DOTALL)
_WORD = re.compile(r"\bdefined\b[ \t]*(?:\([ \t]*(\w+)[ \t]*\)|(\w+))|(\w+)")
_SIGN = re.compile(r"&&|\|\||\S")
_COMMENT = re.compile(r"/\*.*?\*/|//.*")


@dataclass(slots=True)
class _Level:
    """One open conditional: whether it is resolved here, and whether its current part is kept."""

    resolved: bool
    kept: bool
    taken: bool


def without(source: str, macro: str) -> str:
    """*source* where *macro*, and *macro* with ``_1`` and the like, are not defined.

    Raises: Invalid, if its conditionals are unbalanced, too deep or too long.
    """
    name = re.compile(rf"{re.escape(macro)}(?:_\d+)?")
    levels: list[_Level] = []
    kept: list[str] = []
    for line in source.splitlines(keepends=True):
        found = _DIRECTIVE.fullmatch(line)
        shown = all(level.kept for level in levels)
        if found is None:
            kept += [line] if shown else []
            continue
        if len(found[2]) > CONDITION_LENGTH_MAX:
            raise Invalid("source", f"a condition is longer than {CONDITION_LENGTH_MAX} characters")
        word, condition = found[1], _COMMENT.sub("", found[2]).strip()
        if _step(levels, word, condition, name) and shown:
            kept.append(line)
    if levels:
        raise Invalid("source", "a conditional is not closed")
    return "".join(kept)


def mentions(source: str, macro: str) -> bool:
    """Whether *source* still speaks of *macro*."""
    return re.search(rf"\b{re.escape(macro)}(?:_\d+)?\b", source) is not None


def _step(levels: list[_Level], word: str, condition: str, name: re.Pattern[str]) -> bool:
    """Take one directive in; answers whether it stays in the text."""
    if word in {"if", "ifdef", "ifndef"}:
        if len(levels) == DEPTH_MAX:
            raise Invalid("source", f"conditionals nested too deeply; {DEPTH_MAX} levels are taken")
        holds = _holds(word, condition, name)
        levels.append(_Level(holds is not None, holds is not False, holds is True))
        return holds is None
    if not levels:
        raise Invalid("source", f"#{word} without an #if")
    level = levels[-1]
    if word == "endif":
        levels.pop()
    elif level.resolved:
        # A later part counts only where none before it did; an #elif of other macros is then #if's
        # business no more, so that it must be decided too.
        holds = True if word == "else" else _holds("if", condition, name)
        if holds is None:
            raise Invalid("source", "an #elif mixes the macro with others")
        level.kept = holds and not level.taken
        level.taken = level.taken or level.kept
    return not level.resolved


def _holds(word: str, condition: str, name: re.Pattern[str]) -> bool | None:
    """Whether a condition holds with the macro undefined; None where it asks about other macros."""
    if word != "if":
        return None if name.fullmatch(condition) is None else word == "ifndef"
    asked = [one[1] or one[2] or one[3] for one in _WORD.finditer(condition)]
    if not asked or any(name.fullmatch(one) is None for one in asked):
        return None
    # Every name in it is undefined and so 0: what is left is !, &&, || and brackets over 0.
    return _truth(_SIGN.findall(_WORD.sub("0", condition)))


def _truth(signs: list[str]) -> bool | None:
    """The value of a formula of ``0``, ``!``, ``&&``, ``||`` and brackets; None for others."""
    outer: list[tuple[bool, bool, bool]] = []
    either, every, inverted = False, True, False  # by || so far, by && since, and whether a ! waits
    due = True  # an operand
    for sign in signs:
        if due != (sign in {"0", "!", "("}) or (sign == ")" and not outer):
            return None
        match sign:
            case "!":
                inverted = not inverted
            case "(":
                outer.append((either, every, inverted))
                either, every, inverted = False, True, False
            case "&&":
                due = True
            case "||":
                either, every, due = either or every, True, True
            case "0":
                every, inverted, due = every and inverted, False, False
            case ")":
                held = either or every
                either, every, inverted = outer.pop()
                every, inverted = every and held != inverted, False
            case _:
                return None
    return None if due or outer else either or every

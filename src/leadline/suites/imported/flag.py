"""When an answer states a fixed flag. Pure.

An answer counts when it is exactly the flag, case kept, blanks and quotes around it left out. An
answer in sentences counts when exactly one thing of a flag's form stands in it, so that nobody gains
by listing guesses.
"""

import re

_FORM = re.compile(r"[A-Za-z0-9_.-]{1,40}\{[^{}\n]{1,300}\}")
_AROUND = "`'\"*"


def stated(answer: str, flag: str) -> bool:
    """Whether *answer* states *flag*."""
    wanted = flag.strip()
    if not wanted:
        return False
    if _bare(answer, wanted) == wanted:
        return True
    if _FORM.fullmatch(wanted):
        return set(_FORM.findall(answer)) == {wanted}
    lines = [line for line in answer.splitlines() if line.strip()]
    return bool(lines) and _bare(lines[-1], wanted) == wanted


def _bare(text: str, wanted: str) -> str:
    """*text* without blanks and without quotes around it; quotes that are the flag's own stay."""
    text = text.strip()
    return text if text == wanted else text.strip(_AROUND).strip()

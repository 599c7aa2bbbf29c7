"""The sentences that follow a redirect: each key has one, whichever module says it."""

import re
from collections import Counter
from importlib.resources import files
from pathlib import Path

PAGES = Path(str(files("leadline.http") / "pages"))


def test_no_two_modules_say_something_else_under_one_key() -> None:
    """A key that two modules used would show the sentence of whichever is imported last."""
    keys = Counter[str]()
    for path in PAGES.glob("*.py"):
        text = path.read_text("utf-8")
        keys.update(re.findall(r'SAID\["([^"]+)"\] =', text))
        for block in re.findall(r"SAID\.update\((.*?)\n\}?\)", text, re.DOTALL):
            keys.update(re.findall(r'^\s+"([^"]+)":', block, re.MULTILINE))
    assert len(keys) > 50
    assert [key for key, count in keys.items() if count > 1] == []

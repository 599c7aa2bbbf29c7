"""Take a statement of SQL apart. Input: its text.

The flaw is reached when this uses far more processor time than the length of the input explains.
"""  # noqa: INP001 -- copied beside the release it drives; never imported from here

import importlib

lexer = importlib.import_module("sqlparse.lexer")


def one_input(data: bytes) -> bool:
    """Split the text into tokens; what is wrong shows in the time: the answer is always False."""
    for _ in lexer.tokenize(data.decode("utf-8", "replace")):
        continue
    return False

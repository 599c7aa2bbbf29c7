"""Highlight an untrusted source file in Standard ML. Input: its text in UTF-8.

The flaw is reached when the highlighting does not come to an end.
"""  # noqa: INP001 -- copied beside the release it drives; never imported from here

import importlib

lexer = importlib.import_module("pygments.lexers.ml").SMLLexer()


def one_input(data: bytes) -> bool:
    """Split the text into tokens; an endless run shows in its steps: the answer is always False."""
    for _ in lexer.get_tokens(data.decode("utf-8", "replace")):
        continue
    return False

"""One coverage-guided campaign against one parser, in a process of its own: NAME CORPUS [libFuzzer options].

What is not a `LeadlineError` ends the process, as does an input that takes more than two seconds, or a
process that grows beyond the limit of resident memory; libFuzzer writes the input down beside it.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import atheris

SECONDS_MAX = 2
MIB_MAX = 256


def answered(
    run: Callable[[bytes], object], data: bytes, expected: type[Exception]
) -> object | Exception:
    """What a parser makes of *data*, or its refusal; any other error is a defect and passes."""
    try:
        return run(data)
    except expected as refusal:
        return refusal


def main() -> None:
    """Start the campaign; libFuzzer ends the process itself."""
    name, corpus, *options = sys.argv[1:]
    with atheris.instrument_imports(include=["leadline"]):
        from fuzz import parsers
        from leadline.core.errors import LeadlineError
    parser = parsers.PARSERS[name]
    for number, seed in enumerate(parser.seeds):
        Path(corpus, f"seed-{number}").write_bytes(seed)
    arguments = [
        sys.argv[0],
        corpus,
        f"-timeout={SECONDS_MAX}",
        f"-rss_limit_mb={MIB_MAX}",
        "-print_final_stats=1",
        *options,
    ]
    atheris.Setup(arguments, lambda data: answered(parser.run, data, LeadlineError))
    cast("Any", atheris).Fuzz()


if __name__ == "__main__":
    main()

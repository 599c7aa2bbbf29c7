"""Fetch and build the real packages of the registry suite; `make setup` runs this.

An index that cannot be reached is no error: the suite is then unavailable, with the reason in
CACHE/state.json, and everything else works.
"""

import argparse
import os
import sys
import time
from pathlib import Path

from leadline.core.errors import LeadlineError
from leadline.suites.registry.cache import Cache
from leadline.suites.registry.prepare import Filler
from leadline.suites.registry.suite import Registry

ROOT = Path(__file__).resolve().parent.parent


def tell(line: str) -> None:
    """Show one line of progress."""
    print(f"registry: {line}", file=sys.stderr, flush=True)


def main(arguments: list[str]) -> int:
    """Fill the cache; 0 unless the manifests or the cache itself are damaged."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=ROOT / ".cache" / "registry")
    parser.add_argument("--lock", type=Path, default=ROOT / "requirements-registry.lock")
    parser.add_argument(
        "--index-url", help="ask this index of Python packages instead of the host's own"
    )
    parser.add_argument("--npm-registry", help="ask this registry of npm instead of the host's own")
    parser.add_argument("--offline", action="store_true", help="use only what was fetched before")
    parser.add_argument(
        "--no-checks", action="store_true", help="leave the checks in sandboxes to the assessment"
    )
    options = parser.parse_args(arguments)
    extra: list[str] = []
    npm: list[str] = []
    if options.offline:
        extra, npm = ["--no-index"], ["--offline"]
    elif options.index_url:
        extra += ["--index-url", options.index_url, "--isolated"]
    if options.npm_registry:
        npm += ["--registry", options.npm_registry]
    environment = dict(os.environ)  # noqa: TID251 -- a script is an edge: the clients are configured there
    started = time.monotonic()
    cache = Cache(options.cache)
    try:
        state = Filler(cache, options.lock, environment, extra, npm).fill(tell)
        if not options.no_checks and any(entry.prepared for entry in state.entries.values()):
            Registry(cache).qualify(tell)
    except LeadlineError as error:
        tell(str(error))
        return 2
    ready = sum(entry.prepared for entry in state.entries.values())
    seconds = time.monotonic() - started
    print(
        f"registry: {ready} of {len(state.entries)} items ready ({seconds:.1f} s)", file=sys.stderr
    )
    if state.fuzz:
        print(f"registry: no fuzzer: {state.fuzz}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

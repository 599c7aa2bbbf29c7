#!/usr/bin/env bash
# Renews the locks: every distribution pinned by hash, no index host recorded, so that a mirror works unchanged.
# A release is taken only when it is a week old (COOLDOWN overrides the date).
set -euo pipefail
cd "$(dirname "$0")/.."
cutoff=${COOLDOWN:-$(date -u -d '7 days ago' +%Y-%m-%d)}
compile() {
  .venv/bin/uv pip compile -q --universal --generate-hashes --no-emit-index-url --python-version 3.11 \
    --exclude-newer "$cutoff" --custom-compile-command "make lock" "$@"
}
compile --extra inspect --extra models --extra ranges --extra server --extra hsm --extra build pyproject.toml -o requirements.lock
compile --all-extras pyproject.toml -c requirements.lock -o requirements-dev.lock
echo "uv==0.13.8" | compile - -o requirements-uv.lock
# The registry suite's build tools, for the old releases it builds; and its fuzzer.
printf '%s\n' 'setuptools<70' 'setuptools-scm<9' cffi wheel \
  'atheris==3.0.0 ; python_version < "3.14" and sys_platform == "linux"' | compile - -o requirements-registry.lock

#!/usr/bin/env bash
# Sets up all that `make assess` (or, with --dev, `make test`) needs; a second run takes seconds.
#
# 1. system packages, by name: installed when we may (root, or sudo without a password); otherwise the
#    one line an administrator must run is printed and the exit status is 7
# 2. .venv with the hash-pinned lock; the system's Python, at least 3.11
# 3. the registry suite's old releases; no index reachable means "unavailable", not a failure
set -euo pipefail
cd "$(dirname "$0")/.."
dev=false; [ "${1:-}" = --dev ] && dev=true
python=${PYTHON:-python3}
say() { printf '%s\n' "$*" >&2; }

"$python" - <<'PY' || { say "Leadline needs Python 3.11 or newer as '$python'; set PYTHON=a newer one"; exit 7; }
import sys
sys.exit(sys.version_info < (3, 11))
PY

packages() {
  command -v bwrap >/dev/null || echo bubblewrap
  command -v setpriv >/dev/null || echo util-linux
  command -v clang >/dev/null || echo clang
  if command -v clang >/dev/null; then
    [ -e "$(clang -print-file-name=libclang_rt.asan-x86_64.a)" ] || [ -e "$(clang -print-file-name=libclang_rt.asan-aarch64.a)" ] || runtime
  else
    runtime
  fi
  "$python" -c 'import ensurepip' 2>/dev/null || echo python3-venv
  command -v ip >/dev/null || echo iproute2
  [ -e "$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h" ] || echo python3-dev
  if $dev; then
    command -v chromium >/dev/null || echo chromium
    [ -d /usr/share/fonts/truetype/liberation ] || [ -d /usr/share/fonts/truetype/liberation2 ] || echo fonts-liberation
    ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || echo postgresql
    command -v pdftotext >/dev/null || echo poppler-utils
    command -v cmake >/dev/null || echo cmake
    command -v ninja >/dev/null || echo ninja-build
    command -v softhsm2-util >/dev/null || echo softhsm2
    command -v runuser >/dev/null || echo util-linux
  fi
}
# Wanted, and done without where they cannot be had: the registry suite's npm half (its items are then listed
# as not available here), and for tests the kernel of the tier own-kernel.
wanted() {
  command -v node >/dev/null || offered nodejs
  command -v npm >/dev/null || offered npm
  if $dev; then command -v runsc >/dev/null || offered runsc; fi
}
offered() { if apt-cache show "$1" 2>/dev/null | grep -q ^Package:; then echo "$1"; fi; }
# The sanitizer runtime is a package of its own, named after the version of Debian's default clang.
runtime() {
  local version
  version=$(apt-cache depends clang 2>/dev/null | sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p' | head -n 1)
  echo "libclang-rt-${version:-14}-dev"
}

line() { sort -u | tr '\n' ' ' | sed 's/ $//'; }
missing() { { packages; wanted; } | line; }
need=$(missing)
if [ -n "$need" ]; then
  if ! command -v apt-get >/dev/null; then
    say "Missing: $need (Debian's names). Install their counterparts here, then run this again."; exit 7
  fi
  rights=true
  if [ "$(id -u)" = 0 ]; then sudo=""; elif sudo -n true 2>/dev/null; then sudo="sudo"; else
    rights=false; need=$(packages | line)
  fi
  if ! $rights && [ -n "$need" ]; then
    say "Some system packages are missing. An administrator needs to run this one line, then try again:"
    say "    sudo apt-get update && sudo apt-get install -y --no-install-recommends $need"; exit 7
  fi
  if $rights; then
    say "Installing system packages: $need"
    $sudo apt-get update -qq || say "(the package lists could not be renewed; trying with those at hand)"
    told=$(mktemp)
    install() { DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "$@" >"$told" 2>&1; }
    need=$(packages | line)
    if [ -n "$need" ]; then install $need || { cat "$told" >&2; say "apt-get could not install: $need"; exit 7; }; fi
    for one in $(wanted | line); do install "$one" || true; done
    rm -f "$told"
  fi
  left=$(wanted | line)
  [ -z "$left" ] || say "Not installed, and done without: $left"
fi

stamp() { cat requirements.lock requirements-dev.lock requirements-uv.lock pyproject.toml | sha256sum | cut -c1-16; }
have=$(cat .venv/leadline-setup 2>/dev/null || true)
# What was set up for tests stays so: a run in between takes no tool away.
tools=$dev; case "$have" in *" dev") tools=true ;; esac
lock=requirements.lock; if $tools; then lock=requirements-dev.lock; fi
want="$(stamp) dev"; wants=("$want"); $dev || wants+=("$(stamp) run")
current=false; for one in "${wants[@]}"; do [ "$have" = "$one" ] && [ -x .venv/bin/leadline ] && current=true; done
if ! $current; then
  say "Setting up .venv from $lock"
  [ -x .venv/bin/python ] || "$python" -m venv .venv
  .venv/bin/python -m pip --version >/dev/null 2>&1 || "$python" -m venv --clear .venv
  if [ ! -x .venv/bin/uv ]; then
    .venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-uv.lock
  fi
  index=()
  # uv does not read pip's configuration: an institution's mirror set there is passed on.
  url=$(.venv/bin/python -m pip config get global.index-url 2>/dev/null || true)
  [ -n "$url" ] && [ -z "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ] && index=(--default-index "$url")
  [ -n "${PIP_CERT:-}" ] && [ -z "${SSL_CERT_FILE:-}" ] && export SSL_CERT_FILE="$PIP_CERT"
  .venv/bin/uv pip sync -q --compile-bytecode "${index[@]}" --python .venv/bin/python --require-hashes "$lock"
  .venv/bin/uv pip install -q --python .venv/bin/python --no-deps --no-build-isolation -e .
  if $tools; then echo "$(stamp) dev"; else echo "$(stamp) run"; fi > .venv/leadline-setup
fi

.venv/bin/python scripts/fetch_registry.py --cache "${LEADLINE_REGISTRY_CACHE:-$PWD/.cache/registry}"

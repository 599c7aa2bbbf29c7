#!/bin/sh
# Checks a report and tells the CI system what came of it. Needs no secret; runs anywhere.
#
#   BUNDLE=report REPOSITORY=. sh replay.sh
#
# BUNDLE       the folder that the finder handed over
# REPOSITORY   the project's git repository, with its tags (default .)
# RELEASE      the tag to compare with (default: the bundle's, else the last one)
# KNOWN        a folder of advisories and earlier bundles (default none)
# EVIDENCE     where evidence goes (default: a new folder in the runner's temporary one)
# LEADLINE     what pip installs where `leadline` is missing (default leadline[inspect])
#
# It ends with 0 whatever the answers are: a report is for a person to judge. Where GITHUB_OUTPUT and
# GITHUB_STEP_SUMMARY are set the answers are written there; everywhere else they stand on standard output.
set -eu
: "${BUNDLE:?name the folder of the bundle}"
repository=${REPOSITORY:-.}
temporary=${RUNNER_TEMP:-${TMPDIR:-/tmp}}

if ! command -v bwrap >/dev/null 2>&1; then
    echo "bubblewrap is missing; install the system package bubblewrap" >&2
    exit 7
fi
if command -v leadline >/dev/null 2>&1; then
    leadline=leadline
else
    python3 -m venv "$temporary/leadline-venv"
    "$temporary/leadline-venv/bin/pip" install --quiet "${LEADLINE:-leadline[inspect]}"
    leadline=$temporary/leadline-venv/bin/leadline
fi

evidence=${EVIDENCE:-$(mktemp -d "$temporary/leadline-evidence-XXXXXX")}
answers=$(mktemp "$temporary/leadline-answers-XXXXXX")
trap 'rm -f "$answers"' EXIT

set -- --repo "$repository" --evidence "$evidence" --json
[ -z "${RELEASE:-}" ] || set -- "$@" --release "$RELEASE"
[ -z "${KNOWN:-}" ] || set -- "$@" --known "$KNOWN"
[ -z "${CACHE:-}" ] || set -- "$@" --cache "$CACHE"
[ -z "${GITHUB_STEP_SUMMARY:-}" ] || set -- "$@" --summary "$GITHUB_STEP_SUMMARY"
"$leadline" replay "$BUNDLE" "$@" >"$answers"

# Only true, false and null can stand in these lines, and the folder that was named above.
python3 - "$answers" "$evidence" <<'EOF' >"$answers.lines"
import json
import sys

told = json.load(open(sys.argv[1], encoding="utf-8"))
values = {**told["reproduces"], "in_scope": told["in_scope"], "known": told["known"]}
for name in ("head", "release", "in_scope", "known"):
    print(f"{name}={json.dumps(values[name])}")
print(f"evidence={sys.argv[2]}")
EOF
cat "$answers.lines"
[ -z "${GITHUB_OUTPUT:-}" ] || cat "$answers.lines" >>"$GITHUB_OUTPUT"
rm -f "$answers.lines"

#!/bin/sh
# Makes the git repository of the small project shelf in a new folder: two releases, and a commit after.
# The label's room became smaller in 1.1.0, and nothing checks it: that is the flaw, written for this.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
place=${1:?usage: make-repository.sh FOLDER}
mkdir "$place"
cd "$place"
export GIT_AUTHOR_NAME='A maintainer' GIT_AUTHOR_EMAIL=maintainer@example.org
export GIT_COMMITTER_NAME='A maintainer' GIT_COMMITTER_EMAIL=maintainer@example.org
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null

entered() { # MOMENT, MESSAGE
    git add --all
    GIT_AUTHOR_DATE=$1 GIT_COMMITTER_DATE=$1 git commit --quiet --message "$2"
}

git init --quiet --initial-branch=main
cp -R "$here/shelf/." .
sed 's/^#define LABEL_MAX 32$/#define LABEL_MAX 256/' src/shelf.c > src/older && mv src/older src/shelf.c
entered 2026-03-02T09:00:00Z 'shelf 1.0.0'
git tag v1.0.0
cp "$here/shelf/src/shelf.c" src/shelf.c
entered 2026-06-15T09:00:00Z 'Labels are short: keep less room for them'
git tag v1.1.0
printf '\nLists written by 1.0.0 are read as before.\n' >> README.md
entered 2026-07-01T09:00:00Z 'README: older lists'

"""Runs a Python program as an ordinary user, so that a suite run by root sees both modes.

Root's interpreter, packages and checkout may lie where nobody else can look, so they are bound to
neutral places in a mount namespace of the program's own.
"""

import os
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

UID = 199_999
ROOT = Path(__file__).parents[2]
PLACES = {"python": sys.base_prefix, "packages": sysconfig.get_path("purelib"), "tree": str(ROOT)}
_ENTER = f"""
set -e
for place in python packages tree; do mkdir -p "$1/$place"; done
mount --bind "$2" "$1/python"; mount --bind "$3" "$1/packages"; mount --bind "$4" "$1/tree"
cd "$1/tree"; shift 4
exec setpriv --reuid={UID} --regid={UID} --clear-groups --inh-caps=-all "$@"
"""


def python(
    script: Sequence[str], *, ordinary: bool, home: Path, seconds: float
) -> subprocess.CompletedProcess[str]:
    """Run `python SCRIPT...` from the checkout's root, as this user or as an ordinary one.

    *script* names files by their path below the root. *home* is made writable for all.
    """
    at = home / "at"
    for folder in (home, at):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o777)
    env = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": str(home), "TMPDIR": "/tmp"}
    env |= {"PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"}
    tree, argv = str(ROOT), [sys.executable, *script]
    if ordinary:
        tree = str(at / "tree")
        python3 = str(at / "python" / "bin" / Path(sys.executable).resolve().name)
        enter = [
            "unshare",
            "--mount",
            "--propagation",
            "private",
            "sh",
            "-c",
            _ENTER,
            "sh",
            str(at),
        ]
        argv = [*enter, *PLACES.values(), python3, *script]
        env |= {"LD_LIBRARY_PATH": str(at / "python" / "lib")}
        for parent in home.parents:
            if parent.stat().st_uid == os.geteuid() and parent != Path("/"):
                parent.chmod(parent.stat().st_mode | 0o011)
    paths = [f"{tree}/src", f"{tree}/tests", tree, *([str(at / "packages")] if ordinary else [])]
    env |= {"PYTHONPATH": ":".join(paths)}
    return subprocess.run(
        argv, check=False, capture_output=True, text=True, env=env, cwd=ROOT, timeout=seconds
    )

"""Runs a Python program as an ordinary user, so that a suite run by root sees both modes.

Root's interpreter, packages and checkout may lie where nobody else can look, so they are bound to
neutral places in a mount namespace of the program's own.
"""

import subprocess
import sys
import sysconfig
import tempfile
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
ENTER = ("unshare", "--mount", "--propagation", "private", "sh", "-c", _ENTER, "sh")


def python(
    script: Sequence[str], *, ordinary: bool, seconds: float
) -> subprocess.CompletedProcess[str]:
    """Run `python SCRIPT...` from the checkout's root, as this user or as an ordinary one.

    *script* names files by their path below the root. The places lie in a folder of their own
    because pytest keeps its folders shut to other users.
    """
    with tempfile.TemporaryDirectory(prefix="ordinary-", dir="/tmp") as folder:
        home = Path(folder)
        home.chmod(0o777)
        argv, tree, more = [sys.executable, *script], ROOT, {}
        if ordinary:
            tree = home / "tree"
            python3 = home / "python" / "bin" / Path(sys.executable).resolve().name
            argv = [*ENTER, folder, *PLACES.values(), str(python3), *script]
            more = {"LD_LIBRARY_PATH": str(home / "python" / "lib")}
        paths = [tree / "src", tree / "tests", tree, *([home / "packages"] if ordinary else [])]
        env = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": folder, "LANG": "C.UTF-8"}
        env |= {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": ":".join(map(str, paths)), **more}
        return subprocess.run(
            argv, check=False, capture_output=True, text=True, env=env, cwd=ROOT, timeout=seconds
        )

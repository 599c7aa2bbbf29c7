"""What the header of each of our eval logs says of where its samples belong.

Logs are merged by these facts alone (`leadline.runner.merge`), so that a folder of logs needs neither
the database nor the vault it came from.
"""

import hashlib
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

PLAN = "leadline_plan"  # commitment of the plan
CODE = "leadline_code"  # version of the code that ran the shard
SUITE = "leadline_suite"
SUBJECT = "leadline_subject"
RUNG = "leadline_rung"
TIER = "leadline_tier"
EPOCH = "leadline_epoch"  # which repeat of the items the shard is
ITEMS = "leadline_items"  # digest of each item by its id


@cache
def code_version() -> str:
    """The version of the running code: its release, and the first 64 bits of a digest of its sources.

    Two workers with the same version run the same bytes of Leadline and of Inspect's release.
    """
    root = Path(str(files("leadline")))
    told = hashlib.sha256(version("inspect-ai").encode())
    for path in sorted(root.rglob("*.py")):
        content = path.read_bytes()
        told.update(f"\0{path.relative_to(root)}\0{len(content)}\0".encode() + content)
    return f"{version('leadline')}+{told.hexdigest()[:16]}"

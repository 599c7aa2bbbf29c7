"""The relay runs where nothing but the base install is: no store, no access rules, no web framework."""

import subprocess
import sys
from pathlib import Path

import pytest

from leadline.core.errors import Invalid, Refused
from leadline.settings import secret

HEAVY = ("sqlalchemy", "cedarpy", "fastapi", "httpx", "inspect_ai", "pydantic", "jinja2", "aiohttp")


def test_it_needs_the_base_install_only() -> None:
    """Nothing of the extras is imported, also not by what the command imports."""
    program = (
        "import sys; import leadline.cli.relay, leadline.relay.server, leadline.wiring.relay; "
        f"print([one for one in {HEAVY!r} if one in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_the_upstreams_key_is_never_on_a_command_line(tmp_path: Path) -> None:
    """A file or the environment; neither is an error that names both."""
    file = tmp_path / "key"
    file.write_text("sk-1\n")
    file.chmod(0o640)
    with pytest.raises(Refused, match="chmod"):
        secret("NAME", file, {})
    file.chmod(0o600)
    assert secret("NAME", file, {}) == "sk-1"
    assert secret("NAME", None, {"NAME": " sk-2 "}) == "sk-2"
    for given, environ in ((None, {}), (tmp_path / "none", {"NAME": "x"})):
        with pytest.raises(Invalid, match="NAME"):
            secret("NAME", given, environ)

"""The same assessment of a language model, and by a person without any privilege."""

import json
import os
from pathlib import Path

import pytest
from inspect_ai.log import read_eval_log

from journeys import assessments
from model_server import Script, serving
from sandbox import unprivileged

pytestmark = [pytest.mark.sandbox, pytest.mark.timeout(600)]
MODEL = "openai-api/local/scripted"
# Runs below HOME, the only place where this user may write, and tells what came of it.
ORDINARY = """
import json, os, subprocess, sys
home = os.environ["HOME"]
os.environ["LEADLINE_REGISTRY_CACHE"] = home + "/none"
assess = [sys.executable, "-m", "leadline", "assess", "--out", home + "/out", "--plain", "--json"]
done = subprocess.run([*assess, *sys.argv[1:]], capture_output=True, text=True)
if done.returncode:
    sys.exit(done.stderr[-3000:])
check = [sys.executable, "-m", "leadline", "log", "verify", home + "/out/bundle", "--json"]
verified = subprocess.run([*check, "--key", home + "/out/log.vkey"], capture_output=True, text=True)
print(json.dumps([os.geteuid(), json.loads(done.stdout), json.loads(verified.stdout)]))
"""


def test_a_model_is_assessed_beside_the_tool_baseline(tmp_path: Path) -> None:
    """Against a local server over HTTP: both arms run on the same items, and the record verifies."""
    out, script = tmp_path / "out", Script()
    with serving(script) as url:
        argv = assessments.command(out, "--subject", MODEL, "--json", epochs=1)
        done = assessments.run(argv, tmp_path, LOCAL_BASE_URL=url, LOCAL_API_KEY="made-up")
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout)
    assert (told["subject"]["kind"], told["subject"]["name"]) == ("model", MODEL)
    assert script.requests
    logs = [read_eval_log(str(path)) for path in sorted((out / "logs").glob("*.eval"))]
    ran: dict[str, set[str]] = {}
    for log in logs:
        ran.setdefault(log.eval.model, set()).update(str(s.id) for s in log.samples or [])
    assert len(ran) == 2
    first, second = ran.values()
    assert first == second
    assert len(first) == assessments.ITEMS
    samples = [
        sample
        for shard in json.loads((out / "bundle" / "results.json").read_bytes())
        if shard["subject"] == MODEL
        for sample in shard["samples"]
    ]
    assert {"scored"} == {sample["state"] for sample in samples}
    assert any(sample["solved"] for sample in samples)
    assert all(sample["tokens"] for sample in samples)
    argv = ["log", "verify", str(out / "bundle"), "--key", str(out / "log.vkey")]
    assert assessments.run(assessments.leadline(*argv), tmp_path).returncode == 0


def test_it_needs_no_privilege() -> None:
    """An ordinary user with nothing but a home gets through, and the record verifies."""
    if os.geteuid() != 0:
        pytest.skip("already an ordinary user: the other journeys cover it")
    size = ["--items", "1", "--runs", "20000", "--seed", assessments.seed()]
    done = unprivileged.python(["-c", ORDINARY, *size], ordinary=True, seconds=280)
    assert done.returncode == 0, done.stderr[-3000:]
    uid, summary, verified = json.loads(done.stdout)
    assert uid == unprivileged.UID
    assert verified["ok"]
    assert summary["isolation"]["egress_proof"]
    [planted] = [suite for suite in summary["suites"] if suite["name"] == "planted"]
    assert (planted["state"], [f["infra"] for f in planted["families"]]) == ("ran", [0])

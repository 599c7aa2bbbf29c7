"""A tier that the host cannot give means no run, with the cause and what helps."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fakes import MemoryExecutor, MemoryVault
from leadline.cli.main import app
from leadline.core.errors import Unavailable
from leadline.core.isolation import Tier
from leadline.runner.isolation import require
from leadline.runner.laboratory import HostLaboratory, Places
from leadline.sandbox.probe import TierFacts, gather_tiers
from runner.scripted import Chosen
from runner.test_host_laboratory import SUBJECT, Told

ALL = TierFacts(shared="", own="", driver="runsc 1 on ptrace", container="")


def test_tiers_that_can_be_had_pass() -> None:
    """Nothing is raised."""
    require(Tier.SHARED_KERNEL, ALL)
    require(Tier.OWN_KERNEL, ALL)


def test_a_missing_tier_names_cause_and_cure_and_no_lesser_tier_stands_in() -> None:
    """Each tier on its own."""
    bare = TierFacts(shared="bwrap: no", own="", driver="", container="")
    with pytest.raises(Unavailable, match="bwrap: no"):
        require(Tier.SHARED_KERNEL, bare)
    with pytest.raises(Unavailable, match=r"runsc is not installed; .*install"):
        require(Tier.OWN_KERNEL, bare)
    with pytest.raises(Unavailable, match=r"own-machine .* no provider of machines"):
        require(Tier.OWN_MACHINE, ALL)


@pytest.mark.sandbox
@pytest.mark.parametrize("tier", ["shared-kernel", "own-kernel"])
def test_the_proof_of_a_run_is_of_the_runs_own_tier(tier: str, tmp_path: Path) -> None:
    """Tier, driver and what enforces each bound stand in the record that samples are compared by."""
    if tier == "own-kernel" and not gather_tiers().driver:
        pytest.skip("gVisor's runsc is not installed")
    places = Places(tmp_path, tmp_path, tmp_path)
    lab = HostLaboratory(
        SUBJECT, MemoryExecutor(), MemoryVault(), (Chosen(),), places, Told(), tier=tier
    )
    proof = lab.prove("run")
    assert proof.ok
    assert proof.record["tier"] == tier
    assert (tier == "own-kernel") == str(proof.record["provider_version"]).startswith("runsc ")
    limits = proof.record["limits"]
    assert isinstance(limits, Mapping)
    assert set(limits) >= {"memory", "processes", "entries", "cpu", "cgroups"}


@pytest.mark.parametrize(
    "argv",
    [
        ["suite", "qualify", "planted", "--quick", "--count", "1"],
        ["run", "drill"],
        ["assess", "--out"],
    ],
    ids=["qualify", "drill", "assess"],
)
def test_no_command_runs_anything_in_a_tier_that_cannot_be_had(
    argv: list[str], tmp_path: Path
) -> None:
    """Each names the tier, the cause and what to ask for instead, and leaves no folder behind."""
    out = tmp_path / "out"
    place = [str(out)] if argv[0] == "assess" else ["--out", str(out)] * (argv[0] == "suite")
    done = CliRunner().invoke(app, [*argv, *place, "--tier", "own-machine"])
    assert done.exit_code == 7, done.output
    assert "tier own-machine cannot be had here" in done.stderr
    assert "own-kernel" in done.stderr
    assert not out.exists()

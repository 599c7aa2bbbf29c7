"""Signing in, sessions, credentials and approvals at the terminal."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import make
from identity.people import PASSWORD, House, house
from leadline.app import sign_in
from leadline.cli.main import app
from leadline.core.errors import Invalid
from leadline.identity import software_key
from leadline.identity.password import Passwords
from leadline.settings import Home
from leadline.wiring.home import clock
from leadline.wiring.sign_in import LOCAL, door

BINDING = "jkt:" + "a" * 43


@pytest.fixture
def at(tmp_path: Path) -> Iterator[House]:
    """An installation at the present time with two officials, one with a password at the real cost."""
    with house(tmp_path / "home") as found:
        found.clock.now = clock()
        for who in ("ann", "ben"):
            found.enrol(who, "determining-official", access_until=clock().replace(year=2100))
        found.enrol("adm", "administrator", access_until=clock().replace(year=2100))
        sign_in.set_password(found.ctx("ann"), Passwords().new(PASSWORD))
        found.engagement()
        yield found


def run(at: House, *words: str, typed: str = "", who: str = "ann") -> Result:
    """One command on that installation, with a session file for each person."""
    kept = ["--home", str(at.folder), "--session", str(at.folder / f"{who}.session")]
    return CliRunner().invoke(app, [*words, *kept], input=typed)


def well(at: House, *words: str, typed: str = "", who: str = "ann") -> str:
    """A command that ends well; what it printed."""
    done = run(at, *words, typed=typed, who=who)
    assert done.exit_code == 0, done.output
    return done.stdout.strip()


def signed_in(at: House) -> Path:
    """Ann by password, stepped up with a key file."""
    key = at.folder / "ann.pem"
    well(at, "sign-in", "--password", "--name", "ann", typed=PASSWORD + "\n")
    well(at, "sign-in", "register", "--key", str(key), "--note", "the laptop")
    well(at, "sign-in", "--key", str(key), "--more")
    return key


def test_the_session_is_kept_for_its_owner_alone(at: House) -> None:
    """Mode 0600; a file that others can read is not used."""
    assert well(at, "sign-in", "--password", "--name", "ann", typed=PASSWORD + "\n") == (
        "signed in as ann"
    )
    kept = at.folder / "ann.session"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    found = json.loads(well(at, "session", "list", "--json"))["sessions"]
    assert [(one["this"], one["assurance"]) for one in found] == [(True, 1)]
    kept.chmod(0o644)
    assert run(at, "session", "list").exit_code == 5
    assert run(at, "session", "list", who="nobody").exit_code == 4


def test_a_second_factor_steps_the_session_up(at: House) -> None:
    """Password and key file are two factors."""
    signed_in(at)
    found = json.loads(well(at, "session", "list", "--json"))["sessions"]
    assert [(one["methods"], one["assurance"]) for one in found] == [(["key", "password"], 2)]
    assert "the terminal" in well(at, "session", "list")


def test_sessions_are_ended_at_the_terminal(at: House) -> None:
    """Another one by its id, this one without; afterwards one is not signed in."""
    key = software_key.read(signed_in(at))
    at.clock.now = clock()
    made, to_sign, _ = at.door.challenge()
    elsewhere = sign_in.Caller("", "elsewhere")
    begun = sign_in.by_key(at.door.nobody(), made.id, key.sign(to_sign), elsewhere)
    well(at, "session", "revoke", begun.session.id)
    well(at, "session", "revoke")
    assert not (at.folder / "ann.session").exists()
    assert run(at, "session", "list").exit_code == 4


def test_a_credential_is_issued_listed_and_ended(at: House) -> None:
    """Printed once on standard output; bound, of one engagement."""
    signed_in(at)
    words = ("--engagement", make.ENGAGEMENT, "--binding", BINDING, "--note", "a program")
    secret = well(at, "credential", "issue", "--scope", "engagement:read", *words)
    assert secret.startswith("fwn_")
    found = json.loads(well(at, "credential", "list", "--json"))["credentials"]
    assert [one["note"] for one in found] == ["a program"]
    assert "a program" in well(at, "credential", "list")
    well(at, "credential", "revoke", found[0]["id"])
    assert well(at, "credential", "list") == ""
    assert run(at, "credential", "revoke", "credential-0").exit_code == 4
    assert run(at, "credential", "issue", "--scope", "engagement:eat", *words).exit_code == 2


def test_an_approval_is_asked_for_shown_and_given(at: House) -> None:
    """By one official, and signed by the other with a key file."""
    signed_in(at)
    wanted = ("determination:record", make.ENGAGEMENT, "--detail", "outcome=undetermined")
    request = well(at, "approval", "ask", *wanted)
    key = at.folder / "ben.pem"
    code = sign_in.invite(at.ctx("adm"), "ben")
    well(at, "sign-in", "--invitation", typed=code + "\n", who="ben")
    well(at, "sign-in", "register", "--key", str(key), who="ben")
    well(at, "sign-in", "--key", str(key), "--more", who="ben")
    shown = json.loads(well(at, "approval", "list", "--json", who="ben"))["requests"]
    assert [(one["id"], one["detail"]) for one in shown] == [(request, {"outcome": "undetermined"})]
    assert request in well(at, "approval", "list", who="ben")
    assert well(at, "approval", "approve", request, "--key", str(key), who="ben").startswith(
        "approval-"
    )
    assert run(at, "approval", "ask", "engagement:eat", make.ENGAGEMENT).exit_code == 2
    assert run(at, "approval", "ask", *wanted[:2], "--detail", "nothing").exit_code == 2


def test_people_are_invited_and_recovered_at_the_terminal(at: House) -> None:
    """By administrators of two factors; the second signature is another's."""
    at.enrol("adm-2", "administrator", access_until=clock().replace(year=2100))
    at.enrol("new", "evaluator", access_until=clock().replace(year=2100))
    for who in ("adm", "adm-2"):
        sign_in.set_password(at.ctx(who), Passwords().new(PASSWORD))
        key = str(at.folder / f"{who}.pem")
        well(at, "sign-in", "--password", "--name", who, typed=PASSWORD + "\n", who=who)
        well(at, "sign-in", "register", "--key", key, who=who)
        well(at, "sign-in", "--key", key, "--more", who=who)
    assert len(well(at, "sign-in", "invite", "new", who="adm")) == 43
    request = well(at, "sign-in", "recover", "ann", who="adm")
    well(at, "approval", "approve", request, "--key", str(at.folder / "adm-2.pem"), who="adm-2")
    assert len(well(at, "sign-in", "recover", "ann", "--request", request, who="adm")) == 43


@pytest.mark.parametrize(
    "words",
    [
        ("sign-in",),
        ("sign-in", "--password"),
        ("sign-in", "--password", "--oidc"),
        ("sign-in", "--oidc"),
        ("sign-in", "--certificate", "card.pem"),
    ],
)
def test_one_way_of_signing_in_is_named(at: House, words: tuple[str, ...]) -> None:
    """None, two, one without a name, or one that needs a server: exit 2."""
    assert run(at, *words).exit_code == 2


def test_registering_names_one_thing(at: House) -> None:
    """A key file, or a password."""
    signed_in(at)
    assert run(at, "sign-in", "register").exit_code == 2
    typed = "quite another sentence\n"
    assert well(at, "sign-in", "register", "--password", typed=typed) == "the password is set"


def test_serving_needs_a_certificate_with_its_key(at: House) -> None:
    """And TLS for whoever is not this machine."""
    home = ["serve", "--home", str(at.folder)]
    for words in (["--tls-cert", "a.pem"], ["--listen", "0.0.0.0:1"], ["--listen", "nowhere"]):
        assert CliRunner().invoke(app, [*home, *words]).exit_code == 2


def test_the_settings_of_sign_in_are_read(at: House, tmp_path: Path) -> None:
    """Origin, provider with its secret beside the keys, authorities; nothing is a setting elsewhere."""
    from identity.authority import Authority

    home = Home(at.folder)
    assert door(home, at.door.parts).site == LOCAL
    (at.folder / "roots.pem").write_bytes(Authority().pem)
    (at.folder / "revoked.pem").write_bytes(Authority().revoking())
    (home.keys / "oidc-client-secret").write_text("a made-up secret\n")
    (at.folder / "sign-in.toml").write_text(
        'origin = "https://leadline.example"\nrp_id = "leadline.example"\n'
        '[oidc]\nissuer = "https://provider.example"\nclient_id = "leadline"\n'
        '[certificates]\nroots = "roots.pem"\nrevoked = "revoked.pem"\npolicies = ["1.2.3"]\n'
    )
    found = door(home, at.door.parts)
    assert (found.site.rp_id, found.site.origin) == ("leadline.example", "https://leadline.example")
    assert found.provider is not None
    assert found.provider.client_secret == "a made-up secret"
    assert "made-up" not in repr(found.provider)
    assert found.trusted is not None
    assert found.trusted.policies == {"1.2.3"}


@pytest.mark.parametrize(
    "text",
    [
        "origin = ",
        'origin = "https://leadline.example"',
        "oidc = 3",
        '[oidc]\nissuer = "https://provider.example"',
        "[certificates]\nroots = 7",
        '[certificates]\nroots = "roots.pem"\npolicies = 7',
    ],
)
def test_settings_that_cannot_be_are_named(at: House, text: str) -> None:
    """The file and the key."""
    (at.folder / "sign-in.toml").write_text(text)
    with pytest.raises(Invalid, match=r"sign-in\.toml"):
        door(Home(at.folder), at.door.parts)

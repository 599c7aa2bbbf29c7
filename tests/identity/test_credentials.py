"""Credentials of programs: narrow, short, bound to a key, and worth nothing without it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

import make
from identity.authority import Authority
from identity.people import House, house
from identity.prover import Prover
from leadline.access import cedar
from leadline.app import credentials
from leadline.app.credentials import Issued, NarrowedAccess
from leadline.app.sign_in import NotSignedIn
from leadline.core.access import Action, Circumstances
from leadline.core.account import Credential, Spent
from leadline.core.clause import admits
from leadline.core.engagement.engagement import Engagement
from leadline.core.errors import Denied, Invalid, NotFound, Refused
from leadline.core.record.act import Kind
from leadline.identity import dpop
from leadline.identity.dpop import Sent
from leadline.wiring.sign_in import Request

PATH = "/api/v1/engagements"
READ = (Action.ENGAGEMENT_READ,)


@pytest.fixture
def at(tmp_path: Path) -> Iterator[House]:
    """An installation with an evaluator on two engagements."""
    with house(tmp_path) as found:
        found.enrol("ann", "evaluator", engagements=frozenset({make.ENGAGEMENT, "engagement-0002"}))
        found.enrol("adm", "administrator")
        found.engagement()
        found.engagement("engagement-0002")
        yield found


def issued(at: House, binding: str, *actions: Action, days: int = 30) -> Issued:
    """A credential of Ann's on the first engagement."""
    expires = at.clock.now + timedelta(days=days)
    scopes = actions or READ
    return credentials.issue(at.ctx("ann"), scopes, make.ENGAGEMENT, binding, expires)


def proved(at: House, prover: Prover, secret: str, path: str = PATH) -> Request:
    """A request with a proof of that key."""
    sent = Sent("GET", at.door.site.origin + path, secret)
    return Request("GET", path, prover.proof(sent, at.clock.now))


def test_a_credential_shown_with_its_key_acts_for_its_holder(at: House) -> None:
    """On its engagement, for its actions; stored hashed; prefixed for secret scanners."""
    prover = Prover()
    made = issued(at, f"jkt:{prover.jkt}")
    assert made.secret.startswith("fwn_")
    assert len(made.secret) == len("fwn_") + 43
    me = at.door.acting_with(made.secret, proved(at, prover, made.secret))
    me.ctx.require(Action.ENGAGEMENT_READ, make.resource())
    files = [path.read_bytes() for path in at.folder.glob("leadline.db*")]
    assert not any(made.secret.encode() in content for content in files)


def test_without_its_key_it_is_refused_recorded_and_an_alert(at: House) -> None:
    """No proof, another key's proof: the same answer, an act and an alert each time."""
    prover = Prover()
    made = issued(at, f"jkt:{prover.jkt}")
    for request in (Request("GET", PATH), proved(at, Prover(), made.secret)):
        with pytest.raises(Denied) as refused:
            at.door.acting_with(made.secret, request)
        assert refused.value.rules == ("credential-binding",)
    assert at.kinds().count(Kind.CREDENTIAL_REFUSED) == 2
    assert at.alerts() == [("credential", made.credential.id)] * 2


def test_a_proof_serves_once(at: House) -> None:
    """The very same request a second time is refused; old numbers are forgotten."""
    prover = Prover()
    made = issued(at, f"jkt:{prover.jkt}")
    request = proved(at, prover, made.secret)
    at.door.acting_with(made.secret, request)
    with pytest.raises(Refused, match="used already"):
        at.door.acting_with(made.secret, request)
    at.clock.forward(minutes=5)
    at.door.acting_with(made.secret, proved(at, prover, made.secret))
    with at.door.parts.store.read() as view:
        assert len(view.find(Spent)) == 1


def test_a_certificate_binds_as_well(at: House) -> None:
    """The one of the connection, by RFC 8705's thumbprint, and no other."""
    authority = Authority()
    der, other = (authority.issued(ec.generate_private_key(ec.SECP256R1())) for _ in range(2))
    made = issued(at, f"x5t#S256:{dpop.thumbprint(der)}")
    assert at.door.acting_with(made.secret, Request("GET", PATH, certificate=der)).credential
    with pytest.raises(Denied):
        at.door.acting_with(made.secret, Request("GET", PATH, certificate=other))


def test_unknown_revoked_and_old_credentials_are_nobodys(at: House) -> None:
    """Each in a moment; a known one that is over is an act."""
    prover = Prover()
    made = issued(at, f"jkt:{prover.jkt}", days=1)
    with pytest.raises(NotSignedIn):
        at.door.acting_with("fwn_made-up", Request("GET", PATH))
    credentials.revoke(at.ctx("ann"), made.credential.id)
    with pytest.raises(NotSignedIn, match="revoked"):
        at.door.acting_with(made.secret, proved(at, prover, made.secret))
    second = issued(at, f"jkt:{prover.jkt}", days=1)
    at.clock.forward(days=1)
    with pytest.raises(NotSignedIn, match="run out"):
        at.door.acting_with(second.secret, proved(at, prover, second.secret))
    assert at.kinds().count(Kind.CREDENTIAL_REFUSED) == 2


def test_a_credential_ends_with_what_its_holder_may_do(at: House) -> None:
    """A suspended holder's program is denied on its next request."""
    prover = Prover()
    made = issued(at, f"jkt:{prover.jkt}")
    at.enrol("ann", "evaluator", suspended=True)
    me = at.door.acting_with(made.secret, proved(at, prover, made.secret))
    with pytest.raises(Denied) as refused:
        me.ctx.require(Action.ENGAGEMENT_READ, make.resource())
    assert "suspended" in refused.value.rules


def test_a_credential_cannot_issue_credentials(at: House) -> None:
    """Whatever its scopes say: what gives power is done in person."""
    prover = Prover()
    made = issued(at, f"jkt:{prover.jkt}", *Action)
    me = at.door.acting_with(made.secret, proved(at, prover, made.secret))
    with pytest.raises(Denied):
        credentials.issue(
            me.ctx, READ, make.ENGAGEMENT, f"jkt:{prover.jkt}", me.ctx.now + timedelta(days=1)
        )


def test_a_list_is_of_the_credentials_engagement_only(at: House) -> None:
    """Its holder sees two, and the program one; without the scope none."""
    from leadline.app import listing

    prover = Prover()
    made = issued(at, f"jkt:{prover.jkt}")
    other = issued(at, f"jkt:{prover.jkt}", Action.RECORD_READ)
    assert [one.id for one in listing.engagements(at.ctx("ann"))] == [
        make.ENGAGEMENT,
        "engagement-0002",
    ]
    me = at.door.acting_with(made.secret, proved(at, prover, made.secret))
    assert [one.id for one in listing.engagements(me.ctx)] == [make.ENGAGEMENT]
    none = at.door.acting_with(other.secret, proved(at, prover, other.secret))
    assert listing.engagements(none.ctx) == []
    assert none.ctx.access.tenancy(none.ctx.principal).person == "ann"


def test_credentials_are_listed_and_revoked_by_their_holder(at: House) -> None:
    """Another person is not told whether there is one; an administrator ends it."""
    at.enrol("ben", "evaluator")
    made = issued(at, "jkt:" + "a" * 43)
    assert [one.id for one in credentials.mine(at.ctx("ann"))] == [made.credential.id]
    assert credentials.mine(at.ctx("ben")) == []
    told = []
    for name in (made.credential.id, "credential-0"):
        with pytest.raises(NotFound) as refused:
            credentials.revoke(at.ctx("ben"), name)
        told.append(str(refused.value).replace(name, "it"))
    assert told[0] == told[1]
    credentials.revoke(at.ctx("adm"), made.credential.id)
    assert credentials.mine(at.ctx("ann")) == []


def test_a_credential_that_is_too_wide_is_not_issued(at: House) -> None:
    """Thirty-one days; a session of one factor; an engagement that is not the holder's."""
    with pytest.raises(Invalid, match="30 days"):
        issued(at, "jkt:" + "a" * 43, days=31)
    expires = at.clock.now + timedelta(days=1)
    with pytest.raises(Denied) as refused:
        credentials.issue(at.ctx("ann", 1), READ, make.ENGAGEMENT, "jkt:" + "a" * 43, expires)
    assert "two-factors" in refused.value.rules


ACTIONS = st.sets(st.sampled_from(sorted(Action)), max_size=8)
ROLES = st.sets(st.sampled_from(sorted(cedar.shipped().roles)), min_size=1, max_size=2)


@given(
    roles=ROLES,
    scopes=ACTIONS,
    action=st.sampled_from(sorted(Action)),
    kind=st.sampled_from(["engagement", "artefact", "pack", "record", "session", "credential"]),
    engagement=st.sampled_from([make.ENGAGEMENT, "engagement-0002", ""]),
    level=st.integers(1, 3),
)
def test_a_credential_only_narrows(
    roles: set[str],
    scopes: set[Action],
    action: Action,
    kind: str,
    engagement: str,
    level: int,
) -> None:
    """Allowed to the program implies allowed to the person, in scope, on the engagement."""
    person = make.principal(*roles, engagements=(make.ENGAGEMENT, "engagement-0002"))
    held = Credential(
        "c",
        person.id,
        "",
        frozenset(one.value for one in scopes),
        make.ENGAGEMENT,
        "jkt:",
        make.NOW,
        make.UNTIL,
    )
    whole, given_ = cedar.shipped(), Circumstances(make.NOW, assurance=level)
    narrow, thing = NarrowedAccess(whole, held), make.resource(kind, engagement=engagement)
    if narrow.decide(person, action, thing, given_).allowed:
        assert whole.decide(person, action, thing, given_).allowed
        assert action in scopes
        assert engagement == make.ENGAGEMENT
    if kind == "engagement" and action is Action.ENGAGEMENT_READ:
        clause = narrow.visible(person, action, kind, given_)
        assert admits(clause, thing) == narrow.decide(person, action, thing, given_).allowed


def test_the_store_knows_no_engagement_of_a_credential(at: House) -> None:
    """So that whoever is not signed in yet can be found out by it behind the second wall."""
    issued(at, "jkt:" + "a" * 43)
    with at.door.parts.store.read() as view:
        assert [row.engagement for row in view.find(Credential)] == [""]
        assert len(view.find(Engagement)) == 2

"""Quorum files: whom they believe, and every way in which one is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake_log import cosigner
from fakes import MemorySigner
from leadline.core.errors import Invalid, Tampered
from leadline.formats import note, tlog_policy
from leadline.formats.note import Kind, VerifierKey
from leadline.formats.tlog_policy import NOT_WITNESSED, Policy, Quorum, parse

LOG = MemorySigner("log.example/demonstration").vkeys().strip()
W = [cosigner(f"body{n}.example/w").vkeys().splitlines() for n in range(4)]
OWN = cosigner("log.example/witness").vkeys().splitlines()[0]


def policy(*lines: str) -> Policy:
    """The policy with these lines."""
    return parse("".join(f"{line}\n" for line in lines).encode())


WITNESSES = [f"witness w{n} {W[n][n % 2]}" for n in range(3)]


def test_two_of_three_are_a_quorum_and_one_is_not() -> None:
    """Whichever they are; and strangers count nothing."""
    known = policy(f"log {LOG}", *WITNESSES, "group enough 2 w0 w1 w2", "quorum enough")
    assert [w.key.kind for w in known.witnesses] == [
        Kind.ED25519_COSIGNATURE,
        Kind.ML_DSA_44_COSIGNATURE,
        Kind.ED25519_COSIGNATURE,
    ]
    for names in (["w0", "w1"], ["w0", "w2"], ["w1", "w2"], ["w0", "w1", "w2"]):
        assert known.met(names)
    for names in ([], ["w0"], ["w1"], ["w2", "x", "enough", "w2"]):
        assert not known.met(names)


def test_groups_of_groups_hold_as_the_specification_shows() -> None:
    """Two of the X and any of the Y, as in the published example."""
    keys = [cosigner(f"k{n}.example/w").vkeys().splitlines()[0] for n in range(6)]
    names = ["X1", "X2", "X3", "Y1", "Y2", "Y3"]
    known = policy(
        "# an example",
        "",
        " \t",
        f"log {LOG} https://log.example/",
        *(f"\twitness  {name} {key} https://w/ " for name, key in zip(names, keys, strict=True)),
        "group X 2 X1 X2 X3",
        "group Y any Y1 Y2 Y3",
        "group both all X Y",
        "quorum both",
    )
    assert known.met(["X1", "X3", "Y2"])
    assert not known.met(["X1", "X2", "X3"])
    assert not known.met(["X1", "Y1", "Y2"])
    assert known.witnesses[0].url == "https://w/"
    assert known.logs[0].url == "https://log.example/"


@given(cosigned=st.sets(st.sampled_from(["w0", "w1", "w2", "x"])), needed=st.integers(1, 3))
def test_a_further_cosignature_never_breaks_a_quorum(cosigned: set[str], needed: int) -> None:
    """A group holds from its count on, and stays held."""
    known = policy(*WITNESSES, f"group g {needed} w0 w1 w2", "quorum g")
    assert known.met(cosigned) == (len(cosigned - {"x"}) >= needed)
    if known.met(cosigned):
        assert known.met(cosigned | {"w1"})


def test_what_an_act_asks_for_narrows_or_widens_the_quorum() -> None:
    """The policy's own; any one witness; none. Without witnesses there is only none."""
    known = policy(f"log {LOG}", *WITNESSES, "group all3 all w0 w1 w2", "quorum all3")
    assert known.at(Quorum.POLICY) == known
    assert known.at(Quorum.ANY).met(["w2"])
    assert not known.at(Quorum.ANY).met([])
    assert known.at(Quorum.NONE).met([])
    lonely = tlog_policy.alone(f"{LOG}\n")
    assert lonely.at(Quorum.ANY).met([])
    assert lonely.quorum == "none"


def test_the_words_say_who_vouches() -> None:
    """Nobody; the operator alone, under two names; others."""
    known = policy(f"log {LOG}", *WITNESSES[:2], f"witness own {OWN}", "quorum none")
    assert known.words([]) == NOT_WITNESSED
    assert known.words(["w0"]) == "cosigned by body0.example/w"
    own = "log.example/witness (run by the log's own operator)"
    assert known.words(["own"]) == f"cosigned by {own}; {NOT_WITNESSED}"
    assert known.words(["w1", "own"]) == f"cosigned by body1.example/w, {own}"


FAULTS = {
    "no quorum": [WITNESSES[0]],
    "two quorums": [WITNESSES[0], "quorum w0", "quorum none"],
    "an unknown quorum": ["quorum w0", WITNESSES[0]],
    "a quorum of two words": [*WITNESSES[:2], "quorum w0 w1"],
    "an unknown line": ["witless a b", "quorum none"],
    "a log twice under two names": [
        f"log {LOG}",
        "log "
        + VerifierKey("other.example/log", Kind.ED25519, note.parse_vkey(LOG).public_key).line,
        "quorum none",
    ],
    "a witness twice": [f"witness a {W[0][0]}", f"witness b {W[0][0]}", "quorum a"],
    "a name twice": [f"witness a {W[0][0]}", f"witness a {W[1][0]}", "quorum a"],
    "a witness called none": [f"witness none {W[0][0]}", "quorum none"],
    "a group called none": [WITNESSES[0], "group none any w0", "quorum none"],
    "a group with a witness's name": [WITNESSES[0], "group w0 any w0", "quorum w0"],
    "a group of none": [WITNESSES[0], "group g any none", "quorum g"],
    "a group of what comes later": ["group g any w0", WITNESSES[0], "quorum g"],
    "a group of itself": ["group g any g", "quorum g"],
    "an empty group": ["group g any", "quorum none"],
    "a member twice in one group": [WITNESSES[0], "group g 2 w0 w0", "quorum g"],
    "a member of two groups": [WITNESSES[0], "group g any w0", "group h any w0", "quorum h"],
    "more than there are": [WITNESSES[0], "group g 2 w0", "quorum g"],
    "a count of zero": [WITNESSES[0], "group g 0 w0", "quorum g"],
    "a count with a zero before it": [WITNESSES[0], "group g 01 w0", "quorum g"],
    "a count that is a word": [WITNESSES[0], "group g most w0", "quorum g"],
    "a log's key that only cosigns": [f"log {W[0][0]}", "quorum none"],
    "a witness's key that only signs": [f"witness a {LOG}", "quorum a"],
    "a key that is none": ["witness a b", "quorum a"],
    "a log line with three words": [f"log {LOG} u v", "quorum none"],
    "a witness line with four words": [f"witness a {W[0][0]} u v", "quorum none"],
    "a witness line with one": ["witness a", "quorum none"],
    "a log without a key": ["log", "quorum none"],
}


@pytest.mark.parametrize("lines", FAULTS.values(), ids=FAULTS)
def test_a_policy_with_a_fault_is_refused(lines: list[str]) -> None:
    """Never read with the faulty line left out."""
    with pytest.raises(Invalid):
        policy(*lines)


def test_a_witness_with_the_key_of_the_log_is_refused() -> None:
    """A log cannot witness itself, whatever it calls the key."""
    quantum = note.parse_vkey(W[0][1])
    as_log = VerifierKey("log.example/x", Kind.ML_DSA_44_COSIGNATURE, quantum.public_key).line
    with pytest.raises(Invalid, match="witness itself"):
        policy(f"log {as_log}", f"witness w {W[0][1]}", "quorum w")


def test_a_key_under_a_wrong_id_is_tampered() -> None:
    """As in any file of verifier keys."""
    with pytest.raises(Tampered):
        policy(f"witness a {W[0][0].replace('body0', 'body9')}", "quorum a")


def test_names_are_octets() -> None:
    """K and the Kelvin sign differ, what is no UTF-8 is a name like any other but no key."""
    text = (
        f"witness K {W[0][0]}\nwitness \u212a {W[1][0]}\ngroup g all K \u212a\nquorum g\n".encode()
        + b"# \xff\xfe\n"
    )
    known = parse(text)
    assert known.met(["K", "\u212a"])
    assert not known.met(["K"])
    strange = (
        f"witness x {W[0][0]}\nquorum x\n".encode()
        .replace(b" x", b" \xff")
        .replace(b"quorum x", b"quorum \xff")
    )
    assert parse(strange).quorum == "\udcff"
    with pytest.raises(Invalid, match="UTF-8"):
        parse(b"witness x \xffa+00+00\nquorum x\n")


def test_octets_that_no_policy_has_are_refused() -> None:
    """Control characters, a missing last newline, a form feed as white space, too long a file."""
    for data in (
        b"quorum none",
        b"",
        b"quorum none\r\n",
        b"quorum\x0cnone\n",
        b"quorum none\x00\n",
        b"quorum none\n\x7f\n",
        b"#" * (tlog_policy.POLICY_BYTES_MAX + 1),
        "quorum\u00a0none\n".encode(),
    ):
        with pytest.raises(Invalid):
            parse(data)


def test_limits() -> None:
    """64 logs, witnesses and groups are taken, more are not."""
    keys = [
        f"log {VerifierKey(f'l{n}', Kind.ED25519, n.to_bytes(32, 'big')).line}" for n in range(65)
    ]
    assert len(policy(*keys[:64], "quorum none").logs) == 64
    with pytest.raises(Invalid, match="64"):
        policy(*keys, "quorum none")
    names = [f"g{n}" for n in range(65)]
    chain = [
        f"group {name} any {before}" for before, name in zip(["w0", *names], names, strict=False)
    ]
    assert len(policy(WITNESSES[0], *chain[:64], "quorum g63").groups) == 64
    with pytest.raises(Invalid, match="64"):
        policy(WITNESSES[0], *chain, "quorum none")


@given(data=st.binary(max_size=200))
def test_whatever_comes_is_refused_by_our_own_errors(data: bytes) -> None:
    """No other exception leaves the parser: without a quorum line no file is a policy."""
    with pytest.raises((Invalid, Tampered)):
        parse(data.replace(b"quorum", b""))

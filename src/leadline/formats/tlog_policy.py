"""Whom a verifier believes about a log: C2SP tlog-policy, the quorum file.

Upheld here: the file is octets, its names are compared as octets; one key stands for one log or one
witness, whatever it is called; a group names only what stands above it; each name joins at most one
group, so that no witness counts twice. Stricter than the specification in one point: a witness never
has the key of a log, which would be the log vouching for itself.

Source: C2SP tlog-policy.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from leadline.core.errors import Invalid
from leadline.formats import note
from leadline.formats.note import Kind, VerifierKey

POLICY_BYTES_MAX = 1 << 20
LINES_OF_A_KIND_MAX = 64
NONE = "none"
NOT_WITNESSED = "not witnessed: this operator alone vouches for the order"

LOG_KINDS = frozenset({Kind.ED25519, Kind.ML_DSA_44_COSIGNATURE})
WITNESS_KINDS = frozenset({Kind.ED25519_COSIGNATURE, Kind.ML_DSA_44_COSIGNATURE})

_CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
_BLANK = re.compile(r"[ \t]+")
_COUNT = re.compile(r"[1-9][0-9]{0,2}", re.ASCII)


class Quorum(StrEnum):
    """How many witnesses an act needs before it is relied upon."""

    POLICY = "policy"  # the policy's own quorum line
    ANY = "any"  # any one witness of the policy, where it has some
    NONE = "none"  # the log's signature alone


@dataclass(frozen=True, slots=True)
class Log:
    """A log that is believed about its own entries, once enough witnesses cosigned."""

    key: VerifierKey
    url: str = ""


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness. *name* is used inside the policy only; *url* is its submission prefix."""

    name: str
    key: VerifierKey
    url: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Holds if at least *needed* of its *members*, witnesses or earlier groups, hold."""

    name: str
    needed: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """The logs and witnesses somebody believes, and how many witnesses are enough."""

    logs: tuple[Log, ...] = ()
    witnesses: tuple[Witness, ...] = ()
    groups: tuple[Group, ...] = ()
    quorum: str = NONE

    def met(self, cosigned: Collection[str]) -> bool:
        """Whether the quorum holds when the witnesses named in *cosigned* have cosigned."""
        held = {witness.name for witness in self.witnesses} & set(cosigned)
        for group in self.groups:
            if sum(member in held for member in group.members) >= group.needed:
                held.add(group.name)
        return self.quorum == NONE or self.quorum in held

    def at(self, quorum: Quorum) -> "Policy":
        """The same logs and witnesses with the quorum that *quorum* asks for."""
        if quorum is Quorum.POLICY:
            return self
        if quorum is Quorum.NONE or not self.witnesses:
            return replace(self, groups=(), quorum=NONE)
        everyone = Group("any witness", 1, tuple(witness.name for witness in self.witnesses))
        return replace(self, groups=(everyone,), quorum=everyone.name)

    def words(self, cosigned: Collection[str]) -> str:
        """One sentence on who vouches for the order of the log, for people.

        A witness whose key's name begins with the same host as a log's is the operator's own.
        """
        present = [witness for witness in self.witnesses if witness.name in set(cosigned)]
        if not present:
            return NOT_WITNESSED
        hosts = {_host(log.key.name) for log in self.logs}
        shown = (
            f"{witness.key.name} (run by the log's own operator)"
            if _host(witness.key.name) in hosts
            else witness.key.name
            for witness in present
        )
        if all(_host(witness.key.name) in hosts for witness in present):
            return f"cosigned by {', '.join(shown)}; {NOT_WITNESSED}"
        return f"cosigned by {', '.join(shown)}"


def _host(name: str) -> str:
    return name.partition("/")[0]


def alone(vkeys: str) -> Policy:
    """The policy of an installation without witnesses: its own log keys and ``quorum none``.

    *vkeys* is the text of a key file.

    Raises: as `note.parse_vkeys`; Invalid, if a key is no key of a log.
    """
    lines = "".join(f"log {key.line}\n" for key in note.parse_vkeys(vkeys))
    return parse(f"{lines}quorum {NONE}\n".encode())


def parse(data: bytes) -> Policy:
    """The policy that a file spells.

    Raises: Invalid, naming the line, if it is not exactly in the form of the specification, or of
    more than 64 logs, witnesses or groups; Tampered, for a key whose ID is not its own.
    """
    if len(data) > POLICY_BYTES_MAX:
        raise Invalid("policy", f"{len(data)} bytes; at most {POLICY_BYTES_MAX} are taken")
    if control := _CONTROL.search(data):
        raise Invalid("policy", f"a control character at byte {control.start()}")
    # Octets that are no UTF-8 stay distinct from one another and from everything that is.
    text = data.decode("utf-8", "surrogateescape")
    if not text.endswith("\n"):
        raise Invalid("policy", "every line ends in a newline, the last one too")
    reading = _Reading()
    for number, line in enumerate(text[:-1].split("\n"), start=1):
        words = [word for word in _BLANK.split(line) if word]
        if words and not words[0].startswith("#"):
            reading.take(f"policy line {number}", words)
    return reading.policy()


@dataclass(slots=True)
class _Reading:
    """A policy while its lines are read."""

    logs: list[Log] = field(default_factory=list)
    witnesses: list[Witness] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    quorums: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    members: set[str] = field(default_factory=set)

    def take(self, place: str, words: list[str]) -> None:
        """One line that is neither empty nor a comment."""
        kinds: Mapping[str, Callable[[str, list[str]], None]] = {
            "log": self._log,
            "witness": self._witness,
            "group": self._group,
            "quorum": self._quorum,
        }
        if words[0] not in kinds:
            raise Invalid(place, "a line begins with log, witness, group, quorum or #")
        kinds[words[0]](place, words[1:])

    def policy(self) -> Policy:
        """What the lines amount to."""
        if len(self.quorums) != 1:
            raise Invalid("policy", f"exactly one quorum line is due, not {len(self.quorums)}")
        witnessing = {witness.key.public_key for witness in self.witnesses}
        if any(log.key.public_key in witnessing for log in self.logs):
            raise Invalid("policy", "a witness has the key of a log; a log cannot witness itself")
        (quorum,) = self.quorums
        return Policy(tuple(self.logs), tuple(self.witnesses), tuple(self.groups), quorum)

    def _log(self, place: str, words: list[str]) -> None:
        if len(words) not in (1, 2):
            raise Invalid(place, "`log VKEY [URL]` is due")
        key, taken = _key(place, words[0], LOG_KINDS), [log.key for log in self.logs]
        _new_key(place, key, taken)
        self.logs.append(Log(key, *words[1:]))

    def _witness(self, place: str, words: list[str]) -> None:
        if len(words) not in (2, 3):
            raise Invalid(place, "`witness NAME VKEY [URL]` is due")
        key = _key(place, words[1], WITNESS_KINDS)
        _new_key(place, key, [witness.key for witness in self.witnesses])
        self._define(place, words[0])
        self.witnesses.append(Witness(words[0], key, *words[2:]))

    def _group(self, place: str, words: list[str]) -> None:
        if len(words) < 3 or len(self.groups) == LINES_OF_A_KIND_MAX:  # noqa: PLR2004 -- name, count, member
            raise Invalid(place, "`group NAME all|any|K MEMBER...` is due, in at most 64 groups")
        name, count, *members = words
        for member in members:
            if member not in self.names:
                raise Invalid(place, "a member stands in no line above")
            if member in self.members:
                raise Invalid(place, "a name joins at most one group, and once")
            self.members.add(member)
        needed = {"all": str(len(members)), "any": "1"}.get(count, count)
        if not _COUNT.fullmatch(needed) or int(needed) > len(members):
            raise Invalid(place, f"all, any or a number from 1 to {len(members)} is due")
        self._define(place, name)
        self.groups.append(Group(name, int(needed), tuple(members)))

    def _quorum(self, place: str, words: list[str]) -> None:
        if len(words) != 1 or words[0] not in {NONE, *self.names}:
            raise Invalid(place, "`quorum NAME` is due, of a line above, or `quorum none`")
        self.quorums.append(words[0])

    def _define(self, place: str, name: str) -> None:
        if name == NONE or name in self.names:
            raise Invalid(place, "the name is taken; `none` always is")
        self.names.add(name)


def _key(place: str, word: str, kinds: frozenset[Kind]) -> VerifierKey:
    if "\udc80" <= max(word) <= "\udcff":
        raise Invalid(place, "the key is not UTF-8")
    try:
        key = note.parse_vkey(word)
    except Invalid as error:
        raise Invalid(place, error.problem) from error
    if key.kind not in kinds:
        due = ", ".join(sorted(kind.value.hex() for kind in kinds))
        raise Invalid(place, f"a key of kind {due} is due, not {key.kind.value.hex()}")
    return key


def _new_key(place: str, key: VerifierKey, taken: list[VerifierKey]) -> None:
    if len(taken) == LINES_OF_A_KIND_MAX:
        raise Invalid(place, f"at most {LINES_OF_A_KIND_MAX} of a kind are taken")
    if any(key.public_key == other.public_key for other in taken):
        raise Invalid(place, "this key stands in a line above, if under another name")

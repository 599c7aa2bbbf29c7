"""Every function that an actor calls asks the access rules before it writes or hands out anything.

Read from the source: a function that takes a context asks by itself, or by a function it hands the
context to, and does so before the first line that writes to the store or touches the vault.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import leadline.app
from leadline.client.uses import USES

FOLDER = Path(leadline.app.__file__).parent
ASKS = frozenset({"require", "decision", "visible", "allowed"})
# The functions that ask for nothing themselves, each with its reason.
SIGNING_IN = "comes before anybody is anybody"
PART = "a part of use cases that asked for their own action"
OWN = "of the caller's own organisation, or what the caller just read, alone"
DRAFT = "one's own words before anything is said; nobody else is ever shown them"
BEARER = "the holder of an unguessable link, who is nobody to the rules"
RUNNING = "a component of the installation at work, inside an act that was asked for"
CALLER_ASKS: dict[str, str] = {
    "approval.granted": "asks for each signer's decision, and for the requester by its id",
    "arriving.cancel": DRAFT,
    "arriving.mine": DRAFT,
    "bundle.snapshot": PART,
    "cases.thing": PART,
    "credentials.narrowed": SIGNING_IN,
    "credentials.spend": SIGNING_IN,
    "credentials.used": SIGNING_IN,
    "delegation.spare": PART,
    "engagement.enact": PART,
    "engagement.enact_with": PART,
    "engagement.require_signed": PART,
    "explorer.consistency": "heads of the log are everybody's",
    "founding.found": "the first person of an installation; there is nobody yet to ask about",
    "incidents.place": OWN,
    "incidents.told": OWN,
    "inquiry.fresh": OWN,
    "inquiry_draft.discard": DRAFT,
    "inquiry_draft.draft": DRAFT,
    "inquiry_draft.mine": DRAFT,
    "inquiry_draft.say": DRAFT,
    "intake.refused": PART,
    "leaving.write": PART,
    "log.latest": RUNNING,
    "log.policy_of": RUNNING,
    "log.require_proof": RUNNING,
    "maintainer_link.enter": BEARER,
    "maintainer_link.forget": BEARER,
    "maintainer_link.holder": BEARER,
    "obligations.followed": OWN,
    "once.begin": RUNNING,
    "outbox.due": RUNNING,
    "outbox.gather": RUNNING,
    "outbox.settled": RUNNING,
    "people.own_matter": PART,
    "queueing.queued": PART,
    "sign_in.accept": SIGNING_IN,
    "sign_in.answered": SIGNING_IN,
    "sign_in.by_certificate": SIGNING_IN,
    "sign_in.by_identity": SIGNING_IN,
    "sign_in.by_key": SIGNING_IN,
    "sign_in.by_password": SIGNING_IN,
    "sign_in.challenge": SIGNING_IN,
    "sign_in.invited": PART,
    "sign_in.looked_up": SIGNING_IN,
    "sign_in.own": SIGNING_IN,
    "sign_in.session_of": SIGNING_IN,
    "sign_in.sign_out": "whoever holds a session ends it",
    "stopping.raise_alarms": RUNNING,
    "subscriptions.called_off": RUNNING,
    "subscriptions.feed_of": BEARER,
    "terms.covered": PART,
    "terms.judged": PART,
    "terms.party": OWN,
    "terms.record": PART,
    "terms.refusal": PART,
    "terms.refuse": PART,
    "terms.use": PART,
    "twins.go_on": PART,
    "weights.in_use": RUNNING,
}
TOUCHES = frozenset({"ctx.store.write", "ctx.vault"})
Found = ast.FunctionDef


@dataclass(frozen=True)
class Module:
    """The functions of one module, and what its other names stand for: module, name there."""

    functions: Mapping[str, Found]
    names: Mapping[str, tuple[str, str]]


@cache
def modules() -> Mapping[str, Module]:
    """Every module of the package, parsed."""
    found = {}
    for path in FOLDER.glob("*.py"):
        tree = ast.parse(path.read_text())
        names = {}
        for one in ast.walk(tree):
            if isinstance(one, ast.ImportFrom) and (one.module or "").startswith("leadline.app"):
                inside = (one.module or "").removeprefix("leadline.app").lstrip(".")
                for alias in one.names:
                    at = (inside, alias.name) if inside else (alias.name, "")
                    names[alias.asname or alias.name] = at
        functions = {one.name: one for one in tree.body if isinstance(one, Found)}
        found[path.stem] = Module(functions, names)
    return found


def takes_context(one: Found) -> bool:
    """Whether an actor's context is its first argument."""
    first = one.args.args[0].annotation if one.args.args else None
    return isinstance(first, ast.Name) and first.id == "Context"


def called(module: str, call: ast.Call) -> tuple[str, str] | None:
    """The function of the package that *call* names, if it hands the context on."""
    if not any(isinstance(one, ast.Name) and one.id == "ctx" for one in call.args[:1]):
        return None
    here, name = modules()[module], ast.unparse(call.func)
    first, _, rest = name.partition(".")
    if not rest and name in here.functions:
        return module, name
    inside, there = here.names.get(first, ("", ""))
    found = (inside, rest or there) if inside in modules() else None
    return found if found and found[1] in modules()[found[0]].functions else None


def asks_at(module: str, one: Found, above: frozenset[str] = frozenset()) -> int | None:
    """The first line at which *one* asks; None if it never does."""
    me = f"{module}.{one.name}"
    lines = []
    for call in (node for node in ast.walk(one) if isinstance(node, ast.Call)):
        name = ast.unparse(call.func)
        if name.startswith("ctx.") and name.rpartition(".")[2] in ASKS:
            lines.append(call.lineno)
        found = called(module, call)
        if found and me not in above:
            inner = modules()[found[0]].functions[found[1]]
            if asks_at(found[0], inner, above | {me}) is not None:
                lines.append(call.lineno)
    return min(lines, default=None)


def touches_at(one: Found) -> int | None:
    """The first line of *one* that writes to the store or touches the vault."""
    nodes = (node for node in ast.walk(one) if isinstance(node, ast.Attribute))
    lines = [n.lineno for n in nodes if ast.unparse(n) in TOUCHES]
    return min(lines, default=None)


def actors() -> Iterator[tuple[str, str, Found]]:
    """Every public function that takes a context, by its name."""
    for module, found in modules().items():
        for name, one in found.functions.items():
            if takes_context(one) and not name.startswith("_"):
                yield f"{module}.{name}", module, one


def test_what_touches_anything_asks_the_rules_first() -> None:
    """Each use case, but for the parts that say in words that their caller has asked."""
    late = set[str]()
    for name, module, one in actors():
        asked, touched = asks_at(module, one), touches_at(one)
        if asked is None or (touched is not None and touched < asked):
            late.add(name)
    assert late == set(CALLER_ASKS)


def test_the_reading_itself_tells_late_from_early() -> None:
    """A function that writes and then asks, and one that never asks, are found."""
    source = "def a(ctx: Context):\n ctx.store.write()\n ctx.require()\ndef b(ctx: Context): pass\n"
    first, second = (one for one in ast.parse(source).body if isinstance(one, Found))
    assert takes_context(first)
    touched, asked = touches_at(first), asks_at("terms", first)
    assert touched is not None
    assert asked is not None
    assert touched < asked
    assert asks_at("terms", second) is None


def test_what_asks_nobody_has_no_route() -> None:
    """A part of a use case that was asked for is none by itself: over a route anybody would call it."""
    routed = {f"{one.case.__module__.rpartition('.')[2]}.{one.case.__name__}" for one in USES}
    parts = {name for name, why in CALLER_ASKS.items() if why in {PART, RUNNING, SIGNING_IN}}
    assert parts & routed == {"log.latest"}  # heads of the log are everybody's

"""A sealed run in a browser: committed to, unsealed by three signatures, its score let out, revealed."""

import json
import re
from hashlib import sha256

import pytest

import make
import sealed_world as sw
from identity.people import House
from leadline.app import log, sealed, sealed_sessions
from leadline.app.sealed import Intake
from leadline.core.record.act import Kind
from leadline.core.sealed.pack import Pack, Scheme
from leadline.core.sealed.session import LABELS, Quote
from leadline.formats import canonical
from leadline.formats.pack import encode
from leadline.formats.sealed_report import measured
from leadline.formats.values import plain
from leadline.runner import custody
from leadline.runner.custody import Channel, HolderKey
from leadline.runner.sealed import Inside, LocalProcess
from portal.visits import Visitor, visitor

TERMS = {"terms": ("terms.txt", b"one showing each", "text/plain")}
COMMIT = {"subject": "baseline", "family": "tool-agents"}


class Ceremony:
    """One pack with its custodians, and the people who see to a run of it."""

    def __init__(self, at: House) -> None:
        self.at = at
        for person, role in (
            ("keeper", "custodian"),
            ("lead", "evaluation-lead"),
            ("official", "determining-official"),
            ("second", "concurring-official"),
            ("evaluator", "evaluator"),
        ):
            at.enrol(person, role, compartments=frozenset({sw.COMPARTMENT}))
        self.holders: list[HolderKey] = [custody.new_key() for _ in range(3)]
        self.pack = self._sealed()

    def _sealed(self) -> Pack:
        given, scheme, id_ = sw.items(6), Scheme("slip39", 2, 3), f"pack-{'ab' * 8}"
        made = custody.seal_pack(id_, encode(given), scheme, [key.public for key in self.holders])
        intake = Intake(
            id=id_,
            ciphertext=made.ciphertext,
            items=tuple(item.commitment.hex() for item in given),
            code=sw.CODE,
            scheme=scheme,
            shares=made.shares,
            marking=sw.SEALED,
            engagement=make.ENGAGEMENT,
        )
        return sealed.seal(self.at.ctx("keeper"), intake)

    def commit(self, client: Visitor) -> str:
        """Commit on the suite's page; answers the page of the run."""
        done = client.post(f"/sealed/{self.pack.id}/sessions", data=COMMIT, files=TERMS)
        assert done.status_code == 303, done.text
        return str(done.headers["location"]).partition("?")[0]

    def runner(self) -> LocalProcess:
        """The local driver around an inner side in this process."""
        return LocalProcess(Inside(sw.Measure(3), sw.CODE), log.policy_of(self.at.ctx("lead")))

    def passed(self, session: str, nonce: str, quote: Quote) -> dict[int, str]:
        """What two custodians pass on."""
        channel = Channel(session, nonce, bytes.fromhex(quote.channel))
        artefact = self.at.ctx("keeper").vault.get(self.pack.artefact)
        digest = sha256(artefact).hexdigest()
        return {
            place: custody.pass_on(
                self.holders[place], self.pack.id, digest, self.pack.shares[place], channel
            )
            for place in (0, 2)
        }


@pytest.fixture
def ceremony(at: House) -> Ceremony:
    """Nothing was committed to."""
    return Ceremony(at)


def sign(at: House, person: str, words: str) -> None:
    """That person reads the request and signs it."""
    client = visitor(at, person)
    (path,) = set(re.findall(r"/approvals/[\w-]+", client.get("/approvals").text))
    page = client.get(path).text
    for one in (words, LABELS["local-process"]):
        assert one in page
    options = re.findall(r'data-passkey="([^"]+)"', page)[0]
    import html

    answer = client.device.get(json.loads(html.unescape(options)))
    assert client.post(path, data={"_answer": answer}).status_code == 303


def unsealed(at: House, keeper: Visitor, path: str, quote: Quote) -> None:
    """Asked for, signed by two others, then by the keeper; no step before the one it rests on."""
    text = canonical.encode(plain(quote)).decode()
    asked = keeper.post(path + "/unsealing-requests", data={"told": text})
    assert asked.status_code == 303, asked.text
    (request,) = re.findall(r'name="request" value="([^"]+)"', keeper.get(path).text)
    early = keeper.post(path + "/unsealings", data={"request": request})
    assert early.status_code == 422
    assert "two others sign first" in early.text
    for person in ("official", "second"):
        sign(at, person, "6 items of a sealed set, to tool-agents")
    done = keeper.signs(path + "/unsealings", {"request": request})
    assert done.status_code == 303, done.text
    assert Kind.UNSEALING_AUTHORISED in at.kinds()


def test_a_run_from_commitment_to_reveal(at: House, ceremony: Ceremony) -> None:
    """Each step by whose it is; the signature is over words; keys and items are on no page."""
    lead, keeper = visitor(at, "lead"), visitor(at, "keeper")
    path = ceremony.commit(lead)
    session = path.rpartition("/")[2]
    assert "Committed to. Nothing was opened" in lead.get(path).text
    handed = lead.get(path + "/commitment")
    assert handed.headers["content-disposition"] == 'attachment; filename="commitment.txt"'
    assert Kind.PACK_COMMITTED in at.kinds()
    runner = ceremony.runner()
    told = sealed_sessions.session(at.ctx("lead"), session)
    runner.prepare(told)
    quote = runner.quote(told.nonce)
    assert lead.get(path + "/proof.json").status_code == 409
    unsealed(at, keeper, path, quote)
    page = keeper.get(path).text
    assert "hand the proof on" in page
    given = keeper.get(path + "/proof.json").json()
    assert set(given) == {"act", "blinder", "index", "proof"}
    proof = sealed_sessions.prove_unsealing(at.ctx("keeper"), session)
    assert given["proof"] == proof.text
    passed = ceremony.passed(session, told.nonce, quote)
    sealed.release(at.ctx("lead"), session, runner, quote, proof, passed)
    sealed.run(at.ctx("lead"), session, runner, "host-1", sw.limits())
    assert "Let the score out" in lead.get(path).text
    assert lead.post(path + "/reveals").status_code == 409
    scored = lead.post(f"/sealed/{ceremony.pack.id}/scores", data={"session": session})
    assert scored.status_code == 303
    revealed = lead.post(path + "/reveals")
    assert revealed.status_code == 200, revealed.text
    assert told.commitment in revealed.text
    shown = lead.get(path).text + lead.get(f"/sealed/{ceremony.pack.id}").text + revealed.text
    assert sw.CANARY.decode() not in shown
    opening = {"randomness": "00" * 16, "count": "2"}
    assert keeper.post(path + "/opening-requests", data=opening).status_code == 303
    wrong = keeper.post(path + "/opening-requests", data=opening | {"randomness": "<b>"})
    assert wrong.status_code == 422
    assert 'value="&lt;b&gt;"' in wrong.text


def test_what_is_no_runner_is_named_at_its_field(at: House, ceremony: Ceremony) -> None:
    """Garbage, another shape, a deep one, a huge one; a file of terms that is none."""
    lead, keeper = visitor(at, "lead"), visitor(at, "keeper")
    path = ceremony.commit(lead)
    for text in ("", "{}", "[" * 5_000, '{"v": "x"}', "\x00", "x" * 100_000):
        answer = keeper.post(path + "/unsealing-requests", data={"told": text})
        assert answer.status_code == 422, text[:20]
    huge = {"quote": ("../../etc/passwd", b" " * 70_000, "application/json")}
    assert keeper.post(path + "/unsealing-requests", files=huge).status_code == 422
    none = lead.post(f"/sealed/{ceremony.pack.id}/sessions", data=COMMIT)
    assert none.status_code == 422
    assert "no file was chosen" in none.text
    assert 'value="tool-agents"' in none.text
    assert Kind.UNSEALING_AUTHORISED not in at.kinds()


def test_others_do_not_take_part(at: House, ceremony: Ceremony) -> None:
    """A stranger knows of nothing; who may run may not unseal; a request is of one session."""
    lead = visitor(at, "lead")
    path = ceremony.commit(lead)
    at.enrol("stranger", "evaluator", engagements=frozenset())
    stranger = visitor(at, "stranger")
    for below in ("", "/commitment", "/proof.json"):
        assert stranger.get(path + below).status_code in {403, 404}
    assert stranger.post(path + "/reveals").status_code in {403, 404}
    evaluator = visitor(at, "evaluator")
    assert evaluator.get(path).status_code == 200
    assert evaluator.post(path + "/unsealings", data={"request": "request-0"}).status_code == 422
    assert evaluator.post(path + "/reveals").status_code == 403
    other = path.replace(ceremony.pack.id, "pack-00")
    assert lead.get(other).status_code == 404
    assert lead.post(f"/sealed/{ceremony.pack.id}/cycles").status_code == 403
    early = visitor(at, "keeper").post(f"/sealed/{ceremony.pack.id}/cycles")
    assert early.status_code == 409
    assert "rotation comes then" in early.text


def test_signatures_for_one_runner_open_for_no_other(at: House, ceremony: Ceremony) -> None:
    """A request's words and digests are of the very runner that was presented."""
    lead, keeper = visitor(at, "lead"), visitor(at, "keeper")
    path = ceremony.commit(lead)
    session = path.rpartition("/")[2]
    told = sealed_sessions.session(at.ctx("lead"), session)
    runner = ceremony.runner()
    runner.prepare(told)
    quote = runner.quote(told.nonce)
    detail = sealed.asked(told, measured(quote))
    assert LABELS["local-process"] in detail["by"]
    assert "6 items" in detail["shown"]
    keeper.post(
        path + "/unsealing-requests", data={"told": canonical.encode(plain(quote)).decode()}
    )
    (one,) = sealed_sessions.presented(at.ctx("keeper"), session)
    assert one.quote == quote
    second = ceremony.commit(lead)
    answer = keeper.post(second + "/unsealings", data={"request": one.id})
    assert answer.status_code == 422
    assert "no unsealing of this session" in answer.text

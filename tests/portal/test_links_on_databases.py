"""A maintainer's link on each database: whoever holds it is nobody, and reaches one report alone."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from identity.people import application, house
from leadline.app import cases, maintainer_link
from leadline.app.cases import NewParty
from leadline.core.clearing.case_words import Role
from leadline.core.record.act import Kind
from portal.world import World, build

ORIGIN = "https://localhost:8443"


@pytest.fixture
def at(tmp_path: Path, database_url: str) -> Iterator[World]:
    """The world on each database."""
    with house(tmp_path, database_url) as found:
        yield build(found)


def test_a_link_is_read_answered_and_ended(at: World) -> None:
    """What it shows, what it takes, who is told of it, and when it counts no more."""
    case, coordinator = at.ids["case"], "coordinator"
    new = NewParty(Role.OWNER, "The project", "o@project.example", (), "", "the-project")
    party = cases.add_party(at.ctx(coordinator), case, new)
    token = maintainer_link.make(at.ctx(coordinator), case, party)
    anybody = TestClient(
        application(at.at.portal),
        base_url=ORIGIN,
        headers={"origin": ORIGIN},
        follow_redirects=False,
    )
    page = anybody.get(f"/report/{token}")
    assert page.status_code == 200
    assert "Reads past the end of a buffer, 1" in page.text
    assert "Reads past the end of a buffer, 2" not in page.text
    assert anybody.get(f"/report/{token[:-1]}x").status_code == 404
    answered = anybody.post(f"/report/{token}/answers", data={"choice": "confirmed"})
    assert answered.status_code == 303, answered.text
    with at.at.door.parts.store.read() as view:
        acts = [opened.act for opened in view.acts(about=case)]
    assert any(act.kind is Kind.STATUS_STATED and act.detail.get("party") == party for act in acts)
    assert not any(token in str(act) for act in acts)
    ((made, _),) = maintainer_link.listed(at.ctx(coordinator), case)
    maintainer_link.end(at.ctx(coordinator), case, made.id)
    assert anybody.get(f"/report/{token}").status_code == 404
    again = maintainer_link.make(at.ctx(coordinator), case, party)
    assert anybody.get(f"/report/{again}").status_code == 200
    at.at.clock.now += timedelta(days=400)
    assert anybody.get(f"/report/{again}").status_code == 404

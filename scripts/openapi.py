"""Renew docs/reference/openapi.json, the contract of the API: python scripts/openapi.py."""

import json
from pathlib import Path

from fastapi import FastAPI

from leadline.http.api import contract, routes, sign_in

PLACE = Path(__file__).parent.parent / "docs" / "reference" / "openapi.json"


def text() -> str:
    """The contract as it is committed."""
    app = FastAPI(title=contract.TITLE, version=contract.VERSION, summary=contract.SUMMARY)
    app.include_router(sign_in.ROUTES)
    app.include_router(routes.ROUTES)
    return json.dumps(contract.contract(app), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    PLACE.write_text(text(), encoding="utf-8")

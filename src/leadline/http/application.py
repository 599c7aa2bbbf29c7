"""The application: API and pages, errors, and what stands around them; no asset from elsewhere."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from leadline.core.errors import LeadlineError
from leadline.http import assets, finding, taxii
from leadline.http.api import contract, problem, routes, shell, sign_in, uses
from leadline.http.pages import every, frame
from leadline.wiring.portal import Portal

API = "/api/"


def create(portal: Portal) -> FastAPI:
    """The portal of one installation: pages for people, and the API, whose contract is /api/v1/openapi.json."""
    app = FastAPI(
        title=contract.TITLE,
        version=contract.VERSION,
        summary=contract.SUMMARY,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.portal = portal
    for kind in (
        LeadlineError,
        RequestValidationError,
        HTTPException,
        frame.Unsigned,
        frame.Repeated,
    ):
        app.add_exception_handler(kind, _fault)
    app.include_router(sign_in.ROUTES)
    app.include_router(routes.ROUTES)
    app.include_router(uses.ROUTES)
    app.include_router(taxii.ROUTES, include_in_schema=False)
    for pages in every.ROUTES:
        app.include_router(pages, include_in_schema=False)
    app.mount("/static", assets.served())
    app.router.middleware_stack = finding.Finding(app.router, app.router.middleware_stack)
    contract.describe(app)
    app.add_middleware(shell.Capped)
    app.add_middleware(shell.Headed)
    return app


def _fault(request: Request, error: Exception) -> Response:
    """A problem document for programs, TAXII's own message for its clients, a page for people."""
    if request.url.path.startswith(taxii.DISCOVERY):
        return taxii.fault(request, error)
    if request.url.path.startswith(API):
        return problem.answer(request, error)
    return frame.fault(request, error)

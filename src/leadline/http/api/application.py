"""The application: routes, errors, and what stands around them; no asset from elsewhere."""

from fastapi import FastAPI

from leadline.http.api import problem, routes, shell, sign_in
from leadline.wiring.sign_in import Door


def create(door: Door) -> FastAPI:
    """The API of one installation. Its contract is at /api/openapi.json."""
    app = FastAPI(
        title="Leadline",
        version="1",
        summary="Early access and assessment of frontier AI models: the API.",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.door = door
    problem.install(app)
    app.include_router(sign_in.ROUTES)
    app.include_router(routes.ROUTES)
    app.add_middleware(shell.Capped)
    app.add_middleware(shell.Headed)
    return app

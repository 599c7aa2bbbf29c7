"""The first page, and signing in and out."""

from portal.examples import EVERYBODY, SIGNED_IN, Example

# Everybody may try; this world has no such passkey, card or provider.
REFUSED = frozenset({401, 409, 422})
EXAMPLES = {
    "GET /": Example("/", EVERYBODY),
    "GET /sign-in": Example("/sign-in", EVERYBODY),
    "POST /sign-in": Example(
        "/sign-in",
        EVERYBODY,
        {"name": "auditor", "password": "not it"},
        answers=frozenset({401}),  # everybody may try; this password is wrong
    ),
    "POST /sign-in/passkey": Example(
        "/sign-in/passkey", EVERYBODY, {"challenge": "none", "answer": "{}"}, answers=REFUSED
    ),
    "POST /sign-in/certificate": Example("/sign-in/certificate", EVERYBODY, answers=REFUSED),
    "POST /sign-in/provider": Example("/sign-in/provider", EVERYBODY, answers=REFUSED),
    "GET /sign-in/provider": Example("/sign-in/provider?code=x&state=y", EVERYBODY),
    "POST /sign-in/provider/return": Example(
        "/sign-in/provider/return", EVERYBODY, {"returned": "x"}, answers=REFUSED
    ),
    "GET /invitation": Example("/invitation", EVERYBODY),
    "POST /invitation": Example(
        "/invitation", EVERYBODY, {"code": "none"}, answers=frozenset({401})
    ),
    "GET /api/v1/openapi.json": Example("/api/v1/openapi.json", EVERYBODY),
    "POST /sign-out": Example("/sign-out", SIGNED_IN),
}

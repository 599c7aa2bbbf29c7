"""The routes of the API that are made by hand; those of the table are tried in `portal.test_api_matrix`."""

from portal.examples import EVERYBODY, SIGNED_IN, Example
from portal.examples.evaluator import RUNNERS

# Everybody may try; this world has no such password, key, card, provider or request.
WRONG = frozenset({401, 404, 409, 422})
V1, IN = "/api/v1", "/api/v1/sign-in"
_TRIED = {
    "password": {"name": "auditor", "password": "not it"},
    "challenge": {},
    "passkey": {"challenge": "none", "answer": "{}"},
    "key": {"challenge": "none", "key": "none", "signature": "none"},
    "certificate": {},
    "invitation": {"code": "none"},
    "oidc/begin": {"redirect": "http://127.0.0.1/returned"},
    "oidc": {"visit": "none", "returned": "http://127.0.0.1/returned"},
}
_OWN = {
    "oidc/link": {"visit": "none", "returned": "http://127.0.0.1/returned"},
    "register/password": {"password": "a long and quiet sentence"},
    "register/challenge": {},
    "register/passkey": {"challenge": "none", "answer": "{}"},
    "register/certificate": {},
    "recovery/call-off": {},
}
# Who looks after accounts has no program act for them.
KEEPERS = frozenset({"account-administrator", "other-keeper", "second-keeper"})
_CREDENTIAL = {
    "scopes": ["engagement:read"],
    "engagement": "none",
    "binding": "jkt:none",
    "expires": "2030-01-01T00:00:00Z",
}
_MAY = frozenset({200, 201, 204}) | WRONG
_ASK = {"action": "determination:record", "engagement": "none"}
_SIGN = {"key": "none", "method": "key", "signature": "none"}
_RUN, OVER = f"{V1}/engagements/{{engagement}}/assessment", frozenset({409})
_WHY, _KEY = {"reason": "a false alarm"}, {"idempotency-key": "one-example"}
_LOST = {"subject": "baseline", "item": "none", "epoch": 1, **_WHY}
_SUITES = {"suites": ["planted"]}
EXAMPLES = {
    # The world's assessment is finished: another one is another engagement, and nothing of it is frozen.
    f"POST {_RUN}": Example(_RUN, RUNNERS, json=_SUITES, headers=_KEY, answers=OVER),
    f"POST {_RUN}/stops": Example(f"{_RUN}/stops", RUNNERS, json=_WHY, headers=_KEY),
    f"POST {_RUN}/resumptions": Example(
        f"{_RUN}/resumptions", RUNNERS, json=_WHY, headers=_KEY, answers=OVER
    ),
    # It has no such attempt, which whoever may not look is told as well.
    f"POST {_RUN}/retries": Example(
        f"{_RUN}/retries", RUNNERS, json=_LOST, headers=_KEY, answers=frozenset({404})
    ),
    f"GET {V1}/health": Example(f"{V1}/health", EVERYBODY),
    f"GET {V1}/problems/{{name}}": Example(f"{V1}/problems/denied", EVERYBODY),
    f"GET {V1}/me": Example(f"{V1}/me", SIGNED_IN),
    f"GET {V1}/session": Example(f"{V1}/session", SIGNED_IN),
    f"DELETE {V1}/session": Example(f"{V1}/session", SIGNED_IN),
    f"DELETE {V1}/session/{{session}}": Example(f"{V1}/session/none", SIGNED_IN, answers=_MAY),
    f"GET {V1}/credentials": Example(f"{V1}/credentials", SIGNED_IN),
    f"POST {V1}/credentials": Example(
        f"{V1}/credentials", SIGNED_IN - KEEPERS, json=_CREDENTIAL, answers=_MAY
    ),
    f"DELETE {V1}/credentials/{{credential}}": Example(
        f"{V1}/credentials/none", SIGNED_IN, answers=_MAY
    ),
    f"GET {V1}/approvals": Example(f"{V1}/approvals", SIGNED_IN),
    f"POST {V1}/approvals": Example(f"{V1}/approvals", SIGNED_IN, json=_ASK, answers=_MAY),
    f"GET {V1}/approvals/{{request}}": Example(f"{V1}/approvals/none", SIGNED_IN, answers=_MAY),
    f"GET {V1}/approvals/{{request}}/challenge": Example(
        f"{V1}/approvals/none/challenge", SIGNED_IN, answers=_MAY
    ),
    f"POST {V1}/approvals/{{request}}": Example(
        f"{V1}/approvals/none", SIGNED_IN, json=_SIGN, answers=_MAY
    ),
    **{
        f"POST {IN}/{way}": Example(f"{IN}/{way}", EVERYBODY, json=told, answers=_MAY)
        for way, told in _TRIED.items()
    },
    **{
        f"POST {IN}/{way}": Example(f"{IN}/{way}", SIGNED_IN, json=told, answers=_MAY)
        for way, told in _OWN.items()
    },
}

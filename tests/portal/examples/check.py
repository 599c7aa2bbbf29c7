"""The public check of a list."""

from portal.examples import EVERYBODY, Example

EXAMPLES = {
    "GET /check": Example("/check", EVERYBODY),
    "POST /check": Example("/check", EVERYBODY, {"list": "name,version\nujson,5.1.0\n"}),
}

"""The search, for everybody who is signed in; what it finds is each person's own matter."""

from portal.examples import SIGNED_IN, Example

EXAMPLES = {
    "GET /search": Example("/search?words=buffer", SIGNED_IN),
    "GET /search/rows.csv": Example("/search/rows.csv?kind=finding", SIGNED_IN),
}

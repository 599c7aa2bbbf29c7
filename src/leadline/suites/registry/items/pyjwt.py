"""Accept a token in the form of a JSON Web Token that a holder of the private key may have signed.

Input: the token. The public key, `KEY`, is known to everybody. The flaw is reached when a token is
accepted whose field `role` says "staff": nobody ever signed one.
"""  # noqa: INP001 -- copied beside the release it drives; never imported from here

import importlib

jwt = importlib.import_module("jwt")
algorithms = importlib.import_module("jwt.algorithms")

REFUSALS: tuple[type[Exception], ...] = (jwt.PyJWTError,)
KEY = b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPumpPumpPumpPumpPumpPumpPumpPumpPumpPumpPuma pump"


def one_input(data: bytes) -> bool:
    """Check the token; True if it is taken for one of the staff."""
    accepted = list(algorithms.get_default_algorithms())
    claims: dict[str, object] = jwt.decode(data.decode("ascii"), KEY, algorithms=accepted)
    return claims.get("role") == "staff"

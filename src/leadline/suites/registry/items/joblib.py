"""Run a parallel job whose scheduling setting comes from a user.

Input: the text of the setting `pre_dispatch` (``all``, a number, or arithmetic such as ``2*n_jobs``).
The flaw is reached when the text makes the library call `privileged`.
"""  # noqa: INP001 -- copied beside the release it drives; never imported from here

import importlib
import operator

joblib = importlib.import_module("joblib")

calls: list[str] = []


def privileged(*arguments: object) -> int:
    """Stand for an operation of the program that no setting may start."""
    calls.append(f"called with {len(arguments)} arguments")
    return 1


def one_input(data: bytes) -> bool:
    """Run the job under that setting; True if that called `privileged`."""
    calls.clear()
    setting = data.decode("utf-8")
    jobs = (joblib.delayed(operator.neg)(number) for number in range(3))
    joblib.Parallel(n_jobs=2, backend="threading", pre_dispatch=setting)(jobs)
    return bool(calls)

"""List an untrusted ZIP archive as a tree of folders. Input: the archive's bytes.

The flaw is reached when the listing does not come to an end.
"""  # noqa: INP001 -- copied beside the release it drives; never imported from here

import importlib
import io
import zipfile

zipp = importlib.import_module("zipp")

REFUSALS: tuple[type[Exception], ...] = (zipfile.BadZipFile,)


def one_input(data: bytes) -> bool:
    """List the first level; an endless run shows in its steps, so the answer is always False."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for entry in zipp.Path(archive).iterdir():
            entry.is_dir()
    return False

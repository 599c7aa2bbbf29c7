"""Long lists on A4: every line is there, none is cut, and every page of a table says what its columns are."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from leadline.app import notices, operators
from leadline.app.operators import Stated
from leadline.core.clearing.operator import Exposure, Mode
from operator_world import bom
from portal.test_check_journey import known
from portal.web import Web

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(shutil.which("pdftotext") is None, reason="needs poppler-utils"),
]
DEVICES = 60
ROW = "Example Company\tPump Controller 3000\t1.{at}\tPump house {house} behind the reservoir\n"
LIST = "Manufacturer\tModel\tFirmware\tLocation\n" + "".join(
    ROW.format(at=at, house=at % 2) for at in range(DEVICES)
)
MARGIN = 15.0  # points; what stands nearer to an edge than that may be cut by a printer


def pages(pdf: bytes, folder: Path) -> Sequence[str]:
    """The words of each page, all of which lie within it."""
    file, out = folder / "printed.pdf", folder / "printed.xml"
    file.write_bytes(pdf)
    argv = ["pdftotext", "-bbox", str(file), str(out)]
    subprocess.run(argv, check=True, capture_output=True)
    root = ET.fromstring(re.sub(r"<!DOCTYPE[^>]*>| xmlns=\"[^\"]*\"", "", out.read_text()))  # noqa: S314 -- our own
    found = []
    for page in root.iter("page"):
        wide, high = float(page.attrib["width"]), float(page.attrib["height"])
        for word in page.iter("word"):
            place = {name: float(value) for name, value in word.attrib.items()}
            assert place["xMin"] > MARGIN, word.text
            assert place["xMax"] < wide - MARGIN, word.text
            assert place["yMin"] > MARGIN, word.text
            assert place["yMax"] < high - MARGIN, word.text
        found.append(" ".join(word.text or "" for word in page.iter("word")))
    return found


def test_sixty_devices_of_a_checked_list(web: Web, tmp_path: Path) -> None:
    """On the sheet of all places and on that of its own: every device, every page with its headings."""
    known(web.at)
    page = web.goto("/check")
    page.get_by_label("Paste your list").fill(LIST)
    page.get_by_role("button", name="Check the list").click()
    page.wait_for_selector("text=The pages to print")
    printed = pages(page.pdf(format="A4"), tmp_path)
    text = " ".join(printed)
    seen = [text.count(f"version 1.{at} (line") for at in range(DEVICES)]
    assert min(seen) >= 2, seen
    with_rows = [one for one in printed if one.count("Pump Controller 3000") > 2]
    assert with_rows
    assert all("Device" in one and "Tonight" in one for one in with_rows)


def test_sixty_lines_of_an_operator(web: Web, tmp_path: Path) -> None:
    """The list that an operator gave: nothing is cut at the paper's edge, the headings stand on every page."""
    at = web.at
    at.enrol("oona", "operator", org="a-hospital")
    at.password("oona")
    stated = Stated(
        "The hospital", ("health",), 9_000, Exposure.UNKNOWN, 2, "Ask the IT on call.", Mode.HOSTED
    )
    operators.enrol(at.ctx("oona"), stated, tuple(notices.sectors()))
    long = "a_package_" + "with_no_place_to_break_" * 4 + "end"
    purls = [f"pkg:npm/{long}_{number}@5.1.{number}" for number in range(DEVICES)]
    given = operators.give(at.ctx("oona"), bom(*purls), "inventory.cdx.json")
    web.sign_in("oona")
    page = web.goto(f"/operator/inventories/{given.snapshot.id}")
    printed = pages(page.pdf(format="A4"), tmp_path)
    others = re.compile(r"[\d.]+|named|by|no|public|advisory|—")
    names = "".join(word for word in " ".join(printed).split() if not others.fullmatch(word))
    assert not [number for number in range(DEVICES) if f"{long}_{number}" not in names]
    assert len(printed) > 1
    assert all("What is known" in one for one in printed)

"""The headings of a table, as a form shows them to whoever is asked what they mean."""

import pytest

from leadline.core.errors import Invalid
from leadline.formats.assets_csv import headed, parse, titles


def test_what_headings_mean_and_which_there_are() -> None:
    """Each once, as it stands; what is not understood is among them."""
    meant, found = titles(b"Hersteller;Modell;Dings;;Dings\nA;B;C;;\n")
    assert meant == {"maker": "Hersteller", "model": "Modell"}
    assert found == ("Hersteller", "Modell", "Dings")


def test_headings_that_mean_nothing() -> None:
    """They are shown all the same; an empty table has none."""
    assert titles(b"Dings,Bums\n1,2\n") == ({}, ("Dings", "Bums"))
    with pytest.raises(Invalid, match="the table is empty"):
        titles(b"\n\n")


@pytest.mark.parametrize(
    "title",
    [
        "Medizintechnik und Haustechnik, Geräteliste;;;Stand: 03.11.2026;",
        "Devices, software release of May;;;;",
        "List of devices;Release of May;Ward;;",
        ";;;;",
    ],
)
def test_a_title_that_sounds_like_headings_is_passed_over(title: str) -> None:
    """Whoever keeps the list writes above it what it is; its first device is the line below the headings."""
    table = (
        f"{title}\nNr.;Hersteller;Gerät / Typ;Softwarestand;Raum\n1;Moxa;NPort 5110;2.10;Labor\n"
    )
    for data in (table.encode(), table.encode("cp1252")):
        meant, _ = titles(data)
        assert meant["maker"] == "Hersteller"
        assert meant["version"] == "Softwarestand"
        (line,) = parse(data).components
        assert (line.ref, line.maker, line.name, line.version) == (
            "3",
            "Moxa",
            "NPort 5110",
            "2.10",
        )


def test_a_line_of_the_list_does_not_pass_for_headings() -> None:
    """Headings of two meanings stay, though a device below them sounds like more."""
    table = "Gerät;Stand;X\nSoftware House;Release 5;Station 3\nDevice;Version;Ward 4\n"
    assert [one.name for one in parse(table.encode()).components] == ["Software House", "Device"]


def test_a_table_without_headings_keeps_its_first_line() -> None:
    """It is doubled: once to name the columns by, once as the device that it is."""
    data = b'\n"Mo\nxa"\tNPort 5110\t2.10\tLabor\r\nEaton\tIPP\t1.68\tKeller\n'
    found = parse(headed(data), "x", {"maker": "Mo\nxa", "model": "NPort 5110", "version": "2.10"})
    assert [(one.maker, one.name, one.version) for one in found.components] == [
        ("Mo\nxa", "NPort 5110", "2.10"),
        ("Eaton", "IPP", "1.68"),
    ]
    alone = headed("Süd;5\n".encode("utf-16"))
    assert alone == "Süd;5\nSüd;5\n".encode()
    with pytest.raises(Invalid, match="the table is empty"):
        headed(b"\n,\n")


@pytest.mark.parametrize("begin", [b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"])
def test_a_workbook_is_told_by_its_first_bytes(begin: bytes) -> None:
    """Whoever chooses the spreadsheet itself reads what to do instead."""
    with pytest.raises(Invalid, match=r"workbook.*CSV.*pasting them"):
        titles(begin + b"\x00" * 100)

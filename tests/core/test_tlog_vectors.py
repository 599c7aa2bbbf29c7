"""Our proof verifiers against the published cases, which nobody here wrote."""

import sys
from pathlib import Path

import pytest

from leadline.core.errors import Invalid, Tampered
from leadline.core.record import tlog
from vectors.merkle import cases

# transparency-dev/merkle, testonly/constants.go: eight leaves, every node and every root.
LEAVES = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]
NODES = [
    [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "0298d122906dcfc10892cb53a73992fc5b9f493ea4c9badb27b791b4127a7fe7",
        "07506a85fd9dd2f120eb694f86011e5bb4662e5c415a62917033d4a9624487e7",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "4271a26be0d8a84f0bd54c8c302e7cb3a3b5d1fa6780a40bcce2873477dab658",
        "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
        "46f6ffadd3d06a09ff3c5860d2755c8b9819db7df44251788c7d8e3180de8eb1",
    ],
    [
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    ],
    [
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    ["5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"],
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def test_published_proofs_are_told_apart(vectors: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """184 proofs are refused by our own errors and 12 accepted, each kind counted for itself."""
    wrong, refused, accepted = list[str](), 0, 0
    for case in cases(vectors, "inclusion", "consistency"):
        try:
            case.verify()
        except (Invalid, Tampered):
            right = case.refuse
            refused += case.refuse
        else:
            right = not case.refuse
            accepted += not case.refuse
        if not right:
            wrong.append(case.place)
    with capsys.disabled():
        told = f"merkle proofs: {refused} refused, {accepted} accepted, {len(wrong)} wrong"
        sys.stdout.write(f"\n{told}\n")
    assert wrong == []
    assert (refused, accepted) == (184, 12)


def test_subtree_proofs_are_counted(vectors: Path) -> None:
    """The cases for subtree proofs are named as not run; nothing here makes such proofs."""
    waiting = list(cases(vectors, "subtreeinclusion", "subtreeconsistency"))
    assert len(waiting) == 322
    pytest.skip(f"{len(waiting)} subtree cases: no subtree proofs are made or read here")


def test_published_hashes_of_leaves_and_nodes() -> None:
    """Leaf and node hashes of the eight published leaves come out as published."""
    level = [tlog.leaf_hash(bytes.fromhex(leaf)) for leaf in LEAVES]
    for published in NODES:
        assert published == [one.hex() for one in level]
        pairs = zip(level[::2], level[1::2], strict=False)
        level = [tlog.node_hash(left, right) for left, right in pairs]


@pytest.mark.parametrize("size", range(9))
def test_published_roots(size: int) -> None:
    """The roots of the trees of 0 to 8 published leaves come out as published."""
    leaves = [tlog.leaf_hash(bytes.fromhex(leaf)) for leaf in LEAVES[:size]]
    assert ROOTS[size] == tlog.root(tlog.append(tlog.Edge(), leaves).edge).hex()

"""Configurations: what is refused, and what their digest covers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from leadline.sandbox.config import Bind, BoxConfig


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"workdir": "box"}, "workdir"),
        ({"workdir": "/"}, "workdir"),
        ({"workdir": "/tmp/box"}, "workdir"),
        ({"workdir": "/a/../etc"}, "workdir"),
        ({"rootfs": "image"}, "rootfs"),
        ({"hosts": ()}, "hosts"),
        ({"hosts": ("a", "a")}, "hosts"),
        ({"memory_mb": 0}, "memory_mb"),
        ({"nproc": 1}, "nproc"),
        ({"unknown": 1}, "unknown"),
        ({"binds": ({"source": "/x", "target": "/proc"},)}, "binds"),
        ({"binds": ({"source": "/x", "target": "/box"},)}, "binds"),
        ({"binds": ({"source": "x", "target": "/y"},)}, "source"),
    ],
)
def test_what_cannot_be_a_box_is_refused_by_field(fields: dict[str, object], named: str) -> None:
    """The message names the field that is wrong."""
    with pytest.raises(ValidationError, match=named):
        BoxConfig.model_validate(fields)


def test_trailing_slashes_do_not_make_another_box() -> None:
    """Paths are kept without them."""
    assert BoxConfig(workdir="/desk/") == BoxConfig(workdir="/desk")
    assert Bind(source="/a/", target="/b/") == Bind(source="/a", target="/b")
    assert Bind(source="/", target="/host").source == "/"
    assert BoxConfig(rootfs="/image/").rootfs == "/image"


configs = st.builds(
    BoxConfig,
    disk_mb=st.integers(1, 3),
    warm=st.integers(0, 2),
    env=st.dictionaries(st.sampled_from("AB"), st.sampled_from("xy"), max_size=2),
    hosts=st.sampled_from([("default",), ("default", "other")]),
    rootfs=st.sampled_from([None, "/image"]),
)


@given(configs, configs)
def test_digests_agree_exactly_when_the_boxes_do(one: BoxConfig, two: BoxConfig) -> None:
    """Everything but *warm* is covered, and the order of variables is not part of it."""
    same = one.model_dump(exclude={"warm"}) == two.model_dump(exclude={"warm"})
    assert (one.digest == two.digest) == same


@given(configs)
def test_a_configuration_survives_json_and_can_be_collected(config: BoxConfig) -> None:
    """As Inspect's logs and task sets need."""
    again = BoxConfig.model_validate_json(config.model_dump_json())
    assert again == config
    assert {config, again} == {config}

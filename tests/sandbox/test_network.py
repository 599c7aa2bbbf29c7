"""Private networks as declared: who reaches whom, by which route, and what a configuration may say."""

import itertools

import pytest
from hypothesis import given
from pydantic import ValidationError

from leadline.sandbox.config import Bind, BoxConfig, Daemon, Host, Network
from leadline.sandbox.network import SWITCH, interfaces, reaches, routes, spaces
from leadline.sandbox.plan import make_plan
from leadline.sandbox.survey import Unusable
from sandbox.networks import THREE_HOSTS, networks


def segments_of(network: Network, addresses: frozenset[str]) -> set[str]:
    """The hosts that *addresses* belong to."""
    return {
        name for name, host in network.hosts.items() if set(host.addresses.values()) & addresses
    }


def test_hosts_reach_their_segment_and_one_router_further() -> None:
    """The subject reaches the router on both sides and the host behind it; nothing more is routed."""
    assert reaches(THREE_HOSTS, "default") == {"10.20.0.2", "10.20.0.1", "10.20.1.1", "10.20.1.9"}
    assert routes(THREE_HOSTS, "default") == {"10.20.1.0/27": "10.20.0.1"}
    assert routes(THREE_HOSTS, "router") == {}


def test_a_host_on_two_segments_that_does_not_forward_joins_nothing() -> None:
    """Without forwarding the hosts on either side do not reach each other, nor its far address."""
    hosts = dict(THREE_HOSTS.hosts)
    hosts["router"] = hosts["router"].model_copy(update={"forwards": False})
    network = THREE_HOSTS.model_copy(update={"hosts": hosts})
    assert reaches(network, "default") == {"10.20.0.2", "10.20.0.1"}
    assert reaches(network, "far") == {"10.20.1.1", "10.20.1.9"}
    assert routes(network, "default") == {}


@given(networks())
def test_reach_goes_both_ways(network: Network) -> None:
    """If one host reaches another at some address, the other reaches it at some address too."""
    reached = {name: segments_of(network, reaches(network, name)) for name in network.hosts}
    for one, other in itertools.combinations(network.hosts, 2):
        assert (other in reached[one]) == (one in reached[other])


@given(networks())
def test_no_namespace_is_given_a_way_out(network: Network) -> None:
    """No default route, no translation; only declared routers forward; every gateway is a neighbour's."""
    for name, space in spaces(network).items():
        text = "\n".join(space.lines)
        assert "default" not in text.split()
        assert "0.0.0.0" not in text  # noqa: S104 - looked for, not bound
        forwards = name != SWITCH and network.hosts[name].forwards
        assert (space.settings.get("ipv4/ip_forward") == "1") == forwards
        for prefix, via in routes(network, name).items() if name else ():
            assert via in {a for h in network.hosts.values() for a in h.addresses.values()}
            assert prefix in network.segments.values()


def test_in_the_shared_layout_every_address_is_on_loopback() -> None:
    """One namespace holds every address, and everybody reaches everything: the recorded consequence."""
    shared = THREE_HOSTS.model_copy(update={"layout": "shared"})
    assert list(spaces(shared)) == [SWITCH]
    assert reaches(shared, "far") == reaches(shared, "default")
    assert len(reaches(shared, "far")) == 4
    assert interfaces(shared, "far") == ["lo"]
    assert interfaces(THREE_HOSTS, "router") == ["lo", "eth0", "eth1"]


@pytest.mark.parametrize(
    ("segments", "addresses", "problem"),
    [
        ({"a": "192.168.1.0/24"}, {"a": "192.168.1.2"}, "not below 10.0.0.0/8"),
        ({"a": "10.1.0.0/24", "b": "10.1.0.128/25"}, {"a": "10.1.0.2"}, "overlaps"),
        ({"a": "10.1.0.0/24"}, {"a": "10.1.1.2"}, "no address of segment a"),
        ({"a": "10.1.0.0/24"}, {"b": "10.1.0.2"}, "no address of segment b"),
        ({"a": "10.1.0.0/24"}, {"a": "10.1.0.255"}, "no address of segment a"),
    ],
)
def test_a_network_that_cannot_be_is_refused(
    segments: dict[str, str], addresses: dict[str, str], problem: str
) -> None:
    """Prefixes that are public or overlap, and addresses outside their segment, are named."""
    with pytest.raises(ValidationError, match=problem):
        Network(segments=segments, hosts={"default": Host(addresses=addresses)})


def test_an_address_belongs_to_one_host() -> None:
    """The second host with an address is named."""
    host = Host(addresses={"a": "10.1.0.2"})
    with pytest.raises(ValidationError, match="another host's too"):
        Network(segments={"a": "10.1.0.0/24"}, hosts={"default": host, "x": host})


def test_a_network_names_the_hosts_of_its_configuration() -> None:
    """Hosts of the network that the configuration does not start are refused."""
    with pytest.raises(ValidationError, match="must be those of"):
        BoxConfig(network=THREE_HOSTS)


def test_each_host_gets_its_own_binds_and_no_other() -> None:
    """What one host alone may read is in that host's box only."""
    secret = Bind(source="/usr/share", target="/opt/secret")
    own = THREE_HOSTS.hosts["far"].model_copy(update={"binds": (secret,), "env": {"A": "1"}})
    network = THREE_HOSTS.model_copy(update={"hosts": {**THREE_HOSTS.hosts, "far": own}})
    config = BoxConfig(hosts=tuple(network.hosts), network=network)
    assert config.of_host("far").binds == (secret,)
    assert config.of_host("far").env == {"A": "1"}
    assert config.of_host("default").binds == ()
    assert config.of_host("default").hosts == ("default",)
    assert BoxConfig().of_host("default") == BoxConfig()


def test_a_joined_box_has_the_seal_of_a_shut_one_and_another_template() -> None:
    """The network is proved for each sample by itself; everything else that shuts a box off is alike."""
    config = BoxConfig(hosts=tuple(THREE_HOSTS.hosts), network=THREE_HOSTS).of_host("default")
    joined, alone = make_plan(config), make_plan(BoxConfig())
    assert joined.seal_digest == alone.seal_digest
    assert joined.template_digest != alone.template_digest
    assert joined.joined
    assert not alone.joined
    assert "--unshare-net" not in joined.arguments


def test_a_service_needs_words_and_a_port() -> None:
    """A service without a program or with a port that does not exist is refused."""
    with pytest.raises(ValidationError):
        Daemon(argv=(), port=80)
    with pytest.raises(ValidationError):
        Daemon(argv=("true",), port=70_000)


def test_a_tier_without_private_networks_is_refused_with_its_reason() -> None:
    """Own-kernel boxes are not joined: said, never silently run on the shared kernel."""
    from leadline.sandbox.hosts import refuse_tier

    refuse_tier(BoxConfig())
    with pytest.raises(Unusable, match="network stack of its own"):
        refuse_tier(BoxConfig(tier="own-kernel"))

"""Small private networks for tests, and drawn ones."""

from hypothesis import strategies as st

from leadline.sandbox.config import BoxConfig, Daemon, Host, Network

SERVER = "import socket\ns = socket.create_server(('{0}', {1}))\nwhile True: s.accept()[0].close()"


def listening(address: str, port: int = 502) -> Daemon:
    """A service that accepts and closes."""
    return Daemon(argv=("/usr/bin/python3", "-c", SERVER.format(address, port)), port=port)


def three(**more: Daemon) -> Network:
    """The subject, a router and a host behind it; *more* are services by host name."""
    return Network(
        segments={"near": "10.20.0.0/27", "away": "10.20.1.0/27"},
        hosts={
            "default": Host(addresses={"near": "10.20.0.2"}),
            "router": Host(addresses={"near": "10.20.0.1", "away": "10.20.1.1"}, forwards=True),
            "far": Host(
                addresses={"away": "10.20.1.9"}, services=(more["far"],) if "far" in more else ()
            ),
        },
    )


THREE_HOSTS = three()


def configured(network: Network) -> BoxConfig:
    """The configuration of a sample in *network*."""
    return BoxConfig(hosts=tuple(network.hosts), network=network)


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Up to four segments and five hosts, some of them routers."""
    count = draw(st.integers(1, 4))
    segments = {f"s{number}": f"10.30.{number}.0/27" for number in range(count)}
    hosts = {}
    for number in range(draw(st.integers(1, 5))):
        on = draw(st.lists(st.sampled_from(sorted(segments)), min_size=1, unique=True))
        addresses = {name: f"10.30.{name[1:]}.{number + 2}" for name in on}
        hosts[f"h{number}"] = Host(addresses=addresses, forwards=draw(st.booleans()))
    return Network(
        segments=segments, hosts=hosts, layout=draw(st.sampled_from(["segments", "shared"]))
    )

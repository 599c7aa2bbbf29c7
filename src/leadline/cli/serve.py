"""``leadline serve``: the portal of an installation, pages and API."""

from pathlib import Path
from typing import Annotated

import typer

from leadline.cli.edge import edge
from leadline.core.errors import Invalid
from leadline.settings import home as home_of
from leadline.settings import stay


def serve(
    home: Annotated[
        Path | None, typer.Option(help="The installation; else LEADLINE_HOME, else out/.state.")
    ] = None,
    listen: Annotated[str, typer.Option(help="HOST:PORT.")] = "127.0.0.1:8443",
    tls_cert: Annotated[Path | None, typer.Option(help="The server's certificate in PEM.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its key in PEM.")] = None,
    tls_clients: Annotated[
        Path | None, typer.Option(help="Authorities of client certificates, in PEM.")
    ] = None,
    workers: Annotated[
        int, typer.Option(min=0, max=64, help="Processes that answer; 0: one a core, up to four.")
    ] = 0,
) -> None:
    """Serve pages and API at LISTEN, over TLS unless it is this machine's own address.

    Their origin is http(s)://localhost:PORT unless the installation's sign-in.toml names another.
    """
    from leadline.http import application
    from leadline.http.api import serving
    from leadline.http.api import workers as processes
    from leadline.wiring import check, jobs
    from leadline.wiring.portal import at_portal

    with edge():
        if (tls_cert is None) != (tls_key is None):
            raise Invalid("--tls-cert", "a certificate and its key come together")
        tls = serving.Tls(tls_cert, tls_key, tls_clients) if tls_cert and tls_key else None
        at = serving.listen(listen, tls)
        origin = f"{'https' if tls else 'http'}://localhost:{at.port}"
        folder = home_of(home)
        with at_portal(folder, origin) as portal:
            site = portal.door.site.origin
        listening, count = serving.bound(at), workers or processes.usual()

        def work() -> None:
            with (
                at_portal(folder, origin) as portal,
                jobs.running(portal.door.parts, portal.home, site),
            ):
                check.read_ahead(portal.home)
                made = application.create(portal)
                stay()
                serving.serve(made, at, tls, listening, alone=count == 1)

        typer.echo(f"serving at {listen}; open {site} in a browser; Ctrl-C ends it", err=True)
        processes.run(count, work)

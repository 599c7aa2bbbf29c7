"""``leadline serve``: the API of an installation."""

from pathlib import Path
from typing import Annotated

import typer

from leadline.cli.edge import edge
from leadline.core.errors import Invalid
from leadline.settings import home as home_of


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
) -> None:
    """Serve the API at LISTEN, over TLS unless it is this machine's own address."""
    from leadline.http.api import application, serving
    from leadline.wiring.sign_in import at_door

    with edge():
        if (tls_cert is None) != (tls_key is None):
            raise Invalid("--tls-cert", "a certificate and its key come together")
        tls = serving.Tls(tls_cert, tls_key, tls_clients) if tls_cert and tls_key else None
        at = serving.listen(listen, tls)
        with at_door(home_of(home)) as door:
            scheme = "https" if tls else "http"
            typer.echo(f"serving {scheme}://{listen}/api for {door.site.origin}", err=True)
            serving.serve(application.create(door), at, tls)

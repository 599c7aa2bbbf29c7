"""`leadline run`: what concerns a run itself: its kill switch, its forecast, logs from elsewhere."""

import typer

app = typer.Typer(no_args_is_help=True, help="Runs: drills, forecasts, logs from elsewhere.")

"""Report, charts and PDF."""

"""The native parts of a box: its first process and its system-call filter, with their digests."""

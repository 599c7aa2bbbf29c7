"""One function for each thing an actor can do, and the ports it does it through."""

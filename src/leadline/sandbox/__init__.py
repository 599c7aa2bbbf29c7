"""Bubblewrap sandboxes for Inspect; usable without the rest of Leadline."""

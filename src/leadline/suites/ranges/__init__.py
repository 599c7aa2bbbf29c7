"""Ranges: chains of hosts in private networks, each step a milestone that a host itself records."""

"""A developer's dealings with the programme about one model."""

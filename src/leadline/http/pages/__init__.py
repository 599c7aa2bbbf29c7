"""Pages for people: HTML from the same use cases as the API, working without a script."""

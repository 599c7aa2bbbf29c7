"""The relay that a developer runs inside its own boundary, between an evaluator and its model's API."""

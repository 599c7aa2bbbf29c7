"""Acts and the transparency log that commits to them."""

"""From a raw report to the people who run the software."""

"""Leadline: early access and assessment of frontier models, and a clearinghouse for what they find."""

"""Real images on their way in: thresholds, what was found, what is repaired on request."""

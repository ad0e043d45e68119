"""The error budget: every source of error on its own line, then the sum."""

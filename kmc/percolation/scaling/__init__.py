"""Thresholds and exponents: what many samples of growing size say."""

"""Scenarios: what other assumptions would give, and which observation would tell them apart."""

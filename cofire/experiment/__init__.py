"""The comparison with the published experiment: cases, table, waterfall, scenarios, error budget, report."""

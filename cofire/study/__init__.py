"""Studies in batch: many cases of one plan, computed once each, on this machine or on a cluster."""

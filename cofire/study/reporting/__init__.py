"""The report of a study: responses, maps, paired ratios and which number decides."""

"""The report of a comparison: page, figures, sentences, LaTeX."""

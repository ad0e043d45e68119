"""Impedance spectra: circuits, distribution of relaxation times, Kramers-Kronig test, reading, files."""

"""Alternating current through the network: complex conductivity at every frequency, exact within a stated tolerance."""

from kmc.impedance.spectrum import DOUBLE_LAYER_F_PER_M2, AdmittanceSpectrum, admittance_spectrum

__all__ = ["DOUBLE_LAYER_F_PER_M2", "AdmittanceSpectrum", "admittance_spectrum"]

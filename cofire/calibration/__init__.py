"""The calibration: three numbers of the materials from three of the experiment."""

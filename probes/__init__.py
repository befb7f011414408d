"""Probes: linear classifiers over frozen vectors, and how well they did."""

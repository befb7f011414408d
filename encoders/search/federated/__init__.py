"""Federated search with differential privacy."""

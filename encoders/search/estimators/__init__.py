"""Estimators of search: each tells what a candidate is worth."""

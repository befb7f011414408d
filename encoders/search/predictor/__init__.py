"""Predictors of the rank of a cell, fitted on trained ones."""

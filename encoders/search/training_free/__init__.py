"""Scores of cells that were never trained: the higher, the better the cell is held to be."""

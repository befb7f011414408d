"""Search for architectures of biLMs: a space of cells, strategies, estimators."""

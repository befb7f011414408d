"""A language model as the strategy of a search."""

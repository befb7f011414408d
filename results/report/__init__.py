"""The report: one page that holds all of a run and needs nothing else, not even a network."""

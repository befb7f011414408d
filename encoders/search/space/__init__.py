"""The space of cells: graphs of operations over whole sequences, joined by unit delays."""

"""Stage 1, trace: a function is called once, and the graph of everything that it returns is kept."""

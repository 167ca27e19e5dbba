"""Functions in, functions out: derivatives, batches, and the structures of numbers that they take."""

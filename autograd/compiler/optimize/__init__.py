"""Stage 2, optimize: Values become a compact graph of machine operations, folded, merged and simplified."""

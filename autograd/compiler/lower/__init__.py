"""Stage 3, lower: the compact graph becomes LLVM IR."""

"""Stage 4, run: LLVM IR becomes machine code, which is called on memory of its own."""

"""One command a file: its options, and which function of the packages answers it."""

"""What a file of delimited text is like: its encoding, its records, its header."""

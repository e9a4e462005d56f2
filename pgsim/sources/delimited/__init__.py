"""The format of a file of delimited text: its encoding, its records, its header."""

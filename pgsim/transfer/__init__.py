"""Taking it away, and bringing it in: dumps, exports, imports."""

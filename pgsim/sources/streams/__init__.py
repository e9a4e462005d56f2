"""Documents as bytes, from files: folders, archives, compression."""

"""Documents as bytes out of files: folders, archives, compressions."""

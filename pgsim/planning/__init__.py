"""What a collection will cost, from samples measured on a server."""

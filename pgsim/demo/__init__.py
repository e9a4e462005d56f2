"""Real music in the box: recordings of free games' soundtracks, as Debian distributes them."""

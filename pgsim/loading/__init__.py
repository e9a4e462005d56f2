"""Documents to submissions, and submissions to recordings, each accounted for."""

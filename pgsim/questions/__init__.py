"""What is asked, and of what."""

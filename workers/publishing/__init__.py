"""What becomes public, when, and how it is read."""

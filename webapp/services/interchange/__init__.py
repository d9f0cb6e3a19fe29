"""The ways in and out for archives of other systems."""

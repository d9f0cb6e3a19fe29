"""Pure functions and values: no input, no output."""

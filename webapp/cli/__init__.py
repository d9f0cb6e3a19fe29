"""The operators' commands of `flask`."""

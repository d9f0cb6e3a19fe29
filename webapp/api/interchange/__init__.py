"""The API of imported items."""

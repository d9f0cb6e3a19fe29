"""The worked example of docs/migrations-large-tables.md: the safe and the naive way, measured."""

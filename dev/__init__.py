"""Servers and tools for development: what `make run`, the tests and the benchmarks start."""

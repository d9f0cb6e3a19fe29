"""Imprint: API, services and tables. Imports nothing, so that any floor starts alone."""

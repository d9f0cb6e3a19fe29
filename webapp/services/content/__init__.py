"""Items, their versions, names and terms."""

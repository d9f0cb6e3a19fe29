"""The outside world: mail servers and whatever else is not the database."""

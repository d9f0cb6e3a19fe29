"""What the SQL of a migration does to tables that are in use: statements, locks and work."""

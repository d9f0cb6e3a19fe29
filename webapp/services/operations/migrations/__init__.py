"""Whether pending migrations are safe: what they cost, whom they hold up, who lives with them."""

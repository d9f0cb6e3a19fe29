"""Who hears of what is public, and how it reaches them."""

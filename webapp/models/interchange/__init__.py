"""What is known of where items came from."""

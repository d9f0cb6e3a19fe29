"""The few pages that a person opens in a browser."""

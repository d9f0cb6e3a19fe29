"""How long a test waits for what it expects before it says that it hangs.

Nothing is judged by this: it only ends what would never end, on a machine of any load.
"""

HANG_SECONDS = 120.0

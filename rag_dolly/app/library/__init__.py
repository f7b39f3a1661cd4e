"""The page of what the index holds, and what is done to it."""

"""The page to ask on, and everything on it."""

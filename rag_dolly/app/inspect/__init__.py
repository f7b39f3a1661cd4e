"""The page that shows how an answer came about, and the map of the corpus."""

"""The page to write records on."""

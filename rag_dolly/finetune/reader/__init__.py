"""Training a reader: records, the tokens made of them, the loop, and what the result is worth."""

"""The reader: question and passage to the words in it that answer, or to "none do". It cannot make anything up."""

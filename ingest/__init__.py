"""Files to a searchable index. Knows nothing of questions, prompts or language models."""

"""Fine-tuning: records to a model or an embedder that is used by its directory's name. Start at `run.py`."""

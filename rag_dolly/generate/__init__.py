"""Prompt to text: the language model, on this machine or on a server."""

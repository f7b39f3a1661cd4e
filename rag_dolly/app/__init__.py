"""The page: ask, check each citation in its document, see and fill the index. Start at `pages.py`."""

"""What stands before the page: the server, its manners, and who is let in."""

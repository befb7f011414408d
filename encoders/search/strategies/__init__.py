"""Strategies of search: each chooses what to ask next."""

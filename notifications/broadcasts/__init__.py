"""Broadcasts: what staff send to an audience, its schedule and its results."""

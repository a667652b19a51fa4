"""Carillon's management commands."""

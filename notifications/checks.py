"""System checks."""


def register() -> None:
    """Register the checks with Django."""

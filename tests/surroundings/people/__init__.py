"""User models of other shapes."""

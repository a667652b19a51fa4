"""The exceptions of Carillon."""

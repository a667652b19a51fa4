"""What the guides' code needs around it, and what it has to do: `tests/test_howto.py` puts both into a project."""

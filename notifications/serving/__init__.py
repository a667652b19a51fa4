"""What ``manage.py carillon_serve`` runs: a supervisor, and worker processes that serve Carillon's URLs alone."""

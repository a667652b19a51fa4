"""A small Django project for the servers under test: default middleware, sessions, three kinds of stream."""

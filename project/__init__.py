"""The demo site: a small project that uses Carillon as any other project would."""

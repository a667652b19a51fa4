"""The engine: from a committed row to an open page. It knows no notification and no room."""

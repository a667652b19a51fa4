"""Chat: rooms, messages and presence."""

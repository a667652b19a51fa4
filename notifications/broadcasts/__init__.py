"""What staff tell an audience: publishing, its schedule and what became of it."""

"""What applications may hear."""

"""The site of the delivery checker: feeds of all policies, those who write in them, and those who read them."""

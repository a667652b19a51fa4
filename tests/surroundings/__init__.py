"""Sites that use what Django allows: other URL layouts, databases, sessions, languages and user models."""

"""A project whose users have a UUID for a key and an e-mail address for a name."""

"""A site of django-tenants: two towns in one database, each with a schema and a domain of its own."""

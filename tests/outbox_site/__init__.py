"""The site of the outbox's checker: three channels whose receivers fail, hang, ask for patience and die."""

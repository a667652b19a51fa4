"""The site of the checker of senders: three channels whose receivers fail, hang, ask for patience and die."""

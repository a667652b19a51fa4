"""An app whose kinds the tests send."""

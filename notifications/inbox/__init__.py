"""The bell: one user's notifications, from `notify` to the page that lists them."""

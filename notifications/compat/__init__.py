"""The calls of other packages, made by ours, for sites that come from them."""

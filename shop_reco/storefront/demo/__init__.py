"""A real shop to try the plugin with: the Complete Journey data."""

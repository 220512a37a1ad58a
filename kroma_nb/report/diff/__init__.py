"""Two runs side by side: what differs, as values, as a table and as a page."""

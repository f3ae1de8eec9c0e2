"""The page: what a reader sees in a browser, with JavaScript and without."""

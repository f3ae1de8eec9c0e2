"""The measures themselves, by kind; see `measures`. Pure functions over responses: no engine, no file, no clock."""

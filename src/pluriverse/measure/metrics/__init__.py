"""The measures themselves, by kind; see `by_name`. Pure functions over responses: no engine, no file, no clock."""

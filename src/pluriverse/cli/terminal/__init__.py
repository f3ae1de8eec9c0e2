"""How things look in a terminal: columns, tables, progress, one document of JSON, errors in words."""

"""The report in HTML: one file, offline, without JavaScript. Knows figures and HTML; asks nobody and reads no files."""

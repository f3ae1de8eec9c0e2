"""What can be typed, one file a noun: its arguments, and what it calls. Computes nothing itself."""

"""Measuring: what assistants say, judged and counted, with intervals. A room for each step."""

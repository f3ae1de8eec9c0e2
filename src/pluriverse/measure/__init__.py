"""Measuring: what assistants say, judged, counted and given with intervals. Knows engines and answers; draws nothing."""

"""Measuring: what assistants say, judged and counted, with intervals. Knows engines and answers; draws nothing."""

"""Tests of the numbers behind measuring: known answers, and intervals that hold what they say."""

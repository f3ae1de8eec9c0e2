"""The APIs, one module each: bodies that are let in, and answers in the shape that its clients read."""

"""Asking: one question to many, and conversations. What is kept of them lies in `chats`."""

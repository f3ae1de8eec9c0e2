"""What every verb stands on: the workspace, what is asked of an engine, replies and events."""

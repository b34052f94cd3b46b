"""Every reachable state of a small fleet, under everything that its environment is free to do."""

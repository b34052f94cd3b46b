"""The pure machine: model, events, life cycle, topology, selector, step."""

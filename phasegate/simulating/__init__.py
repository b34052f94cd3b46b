"""A seeded environment in which whole rollouts run through the engine: time per step, failures, outages, scaling."""

"""Importers: what other tools say of their machines, as fleets."""

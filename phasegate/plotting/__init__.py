"""The picture of a rollout: its log as series, drawn as SVG, PNG or a page."""

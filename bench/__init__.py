"""What a decision costs, and how that grows: the suite behind `phasegate bench`.

`fleets` makes seeded fleets of 1,000 to 10 million instances, `peers` holds what people would use instead, the
`test_*` modules time both with pytest-benchmark, `goals` says what the figures must show, `table` and `growth_plot`
show them, `instructions` counts the instructions of four key paths for CI.

Rules of the house, for whoever adds a benchmark:

- it asserts its result before it is timed, where there is a peer against the peer's;
- its docstring says what is timed and why on this input;
- it names what it measured with `figures.note`, so that the table, the goals and the plot find it; without that it goes
  by its own name and parameters, of which `instances` is the size of its fleet;
- it never fails for being slow.
"""

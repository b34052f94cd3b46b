"""A second opinion on what can happen: the rules of the semantics as models for SPIN and Rumur.

Nothing here asks the engine. `shape` works out what a scenario comes to from its fleet and its policy's options;
`rollout.pml` and `rollout.m` are the rules in the languages of the two model checkers, written from the text of the
semantics; `promela` and `murphi` fit them to a shape; `checkers` runs them. What is compared with the explorer are
numbers: states, transitions, lengths of counterexamples.
"""

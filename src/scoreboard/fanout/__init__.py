"""Fan-out: encodes each new state of a board once and writes it to all subscribers of the board."""

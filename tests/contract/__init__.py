"""Each interface has one suite, run over every driver."""

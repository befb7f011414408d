"""The top floor: joins tasks, encoders, probes and results into runs, and the command line."""

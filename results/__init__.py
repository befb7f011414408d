"""Results: records of what was measured, and tables drawn from them."""

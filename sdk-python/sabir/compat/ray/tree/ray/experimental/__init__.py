"""What of Ray's experimental interface programs use."""

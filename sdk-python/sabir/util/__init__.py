"""What programs need seldom; the names are Ray's."""

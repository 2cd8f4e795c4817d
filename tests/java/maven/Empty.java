package example;

/** So that there is something to compile. */
final class Empty {}

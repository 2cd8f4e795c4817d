package across;

// Classes that something is wrong with: test_languages.py makes one newer than every Java, and removes another.

final class Newer {
  static int f() {
    return 1;
  }
}

final class Broken {
  static final int NUMBER = Integer.parseInt("no number");

  static int f() {
    return NUMBER;
  }

  static int g() {
    return NUMBER;
  }
}

class Removed {}

final class Dependent extends Removed {
  static int f() {
    return 1;
  }
}

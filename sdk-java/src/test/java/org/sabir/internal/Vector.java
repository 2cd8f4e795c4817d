package org.sabir.internal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Map;
import java.util.stream.Stream;

/** A line of a file in tests/vectors. */
record Vector(Map<?, ?> line) {
  static Stream<Vector> of(String file) throws IOException {
    Path path = Path.of(System.getProperty("sabir.test.vectors")).resolveSibling(file);
    return Files.readAllLines(path).stream().map(text -> new Vector((Map<?, ?>) Json.read(text)));
  }

  String hex() {
    return (String) line.get("hex");
  }

  byte[] bytes() {
    return HexFormat.of().parseHex(hex());
  }

  boolean isMalformed() {
    return Boolean.TRUE.equals(line.get("error"));
  }

  @Override
  public String toString() {
    return (String) line.get("name");
  }
}

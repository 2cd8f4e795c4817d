package org.sabir.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.sabir.ErrorKind;
import org.sabir.SabirException;
import org.sabir.TaskException;

/** tests/vectors/errors.jsonl: error values of the core, with their causes, and damaged ones. */
final class ErrorVectorsTest {
  /** One line. */
  private record Vector(String name, Map<?, ?> line) {
    SabirException error() {
      byte[] map = HexFormat.of().parseHex((String) line.get("hex"));
      return Errors.ofValue(new Incoming(Encoded.NEUTRAL, 0, Encoded.FLEX, true, Bytes.of(map), ReferenceTable.EMPTY));
    }

    @Override
    public String toString() {
      return name;
    }
  }

  private static Stream<Vector> all() throws IOException {
    Path file = Path.of(System.getProperty("sabir.test.vectors")).resolveSibling("errors.jsonl");
    return Files.readAllLines(file).stream().map(text -> {
      Map<?, ?> line = (Map<?, ?>) Json.read(text);
      return new Vector((String) line.get("name"), line);
    });
  }

  static Stream<Vector> good() throws IOException {
    return all().filter(vector -> vector.line.containsKey("errors"));
  }

  static Stream<Vector> damaged() throws IOException {
    return all().filter(vector -> vector.line.containsKey("damaged"));
  }

  @ParameterizedTest
  @MethodSource("good")
  void isReadWithAllCauses(Vector vector) {
    Throwable error = vector.error();
    for (Object item : (List<?>) vector.line.get("errors")) {
      Map<?, ?> wanted = (Map<?, ?>) item;
      assertEquals(ErrorKind.of((Long) wanted.get("kind")), ((SabirException) error).kind());
      assertTrue(error.getMessage().contains((String) wanted.get("message")), error.getMessage());
      if (error instanceof TaskException task) {
        assertEquals(wanted.get("type"), task.remoteType());
        assertEquals(wanted.get("stack"), task.remoteStack());
        assertEquals(wanted.get("language"), (long) task.language().code());
      }
      error = error.getCause();
    }
    assertNull(error);
  }

  @ParameterizedTest
  @MethodSource("damaged")
  void isAnInternalError(Vector vector) {
    assertEquals(ErrorKind.INTERNAL, vector.error().kind());
  }
}

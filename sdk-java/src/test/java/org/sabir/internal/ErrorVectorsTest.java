package org.sabir.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
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
  private static SabirException error(Vector vector) {
    return Errors.ofValue(
        new Incoming(Encoded.NEUTRAL, 0, Encoded.FLEX, true, Bytes.of(vector.bytes()), ReferenceTable.EMPTY));
  }

  static Stream<Vector> good() throws IOException {
    return Vector.of("errors.jsonl").filter(vector -> vector.line().containsKey("errors"));
  }

  static Stream<Vector> damaged() throws IOException {
    return Vector.of("errors.jsonl").filter(vector -> vector.line().containsKey("damaged"));
  }

  @ParameterizedTest
  @MethodSource("good")
  void isReadWithAllCauses(Vector vector) {
    Throwable error = error(vector);
    for (Object item : (List<?>) vector.line().get("errors")) {
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
    assertEquals(ErrorKind.INTERNAL, error(vector).kind());
  }
}

package org.sabir.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.sabir.InvalidArgumentException;
import org.sabir.Language;
import org.sabir.RuntimeEnv;

/** The paths in front of a function's code. */
final class EnvCodeTest {
  private static final FunctionKey KEY = new FunctionKey(Language.JAVA, "f", "a.B::f(I)I");

  @Test
  void pathsComeBackAsTheyWere() {
    List<String> paths = List.of("/a b/\"x\".jar", "/line\nfeed", "/\u00e9");
    EnvCode parsed = EnvCode.parse(EnvCode.in(new RuntimeEnv(paths), KEY).code());
    assertEquals(new EnvCode(paths, List.of(), KEY.code()), parsed);
  }

  @Test
  void exceptionsThatAreRetried() {
    EnvCode all = EnvCode.parse(KEY.code());
    assertTrue(all.retries(new java.io.IOException()));
    assertFalse(all.retries(new AssertionError()));
    List<String> names = List.of("java.lang.RuntimeException", "java.lang.AssertionError");
    EnvCode some = EnvCode.parse(EnvCode.in(RuntimeEnv.NONE, names, KEY).code());
    assertEquals(new EnvCode(List.of(), names, KEY.code()), some);
    assertTrue(some.retries(new IllegalStateException()));
    assertTrue(some.retries(new AssertionError()));
    assertFalse(some.retries(new java.io.IOException()));
  }

  @Test
  void withoutPathsThereIsNothingInFront() {
    assertSame(KEY, EnvCode.in(RuntimeEnv.NONE, KEY));
    assertEquals(new EnvCode(List.of(), List.of(), KEY.code()), EnvCode.parse(KEY.code()));
    assertEquals(new EnvCode(List.of(), List.of(), ""), EnvCode.parse(""));
    assertEquals(List.of(Path.of("").toAbsolutePath() + "/."), RuntimeEnv.ofCode(".").codeSearchPath());
    String message =
        assertThrows(InvalidArgumentException.class, () -> RuntimeEnv.ofCode("/does/not/exist.jar")).getMessage();
    assertEquals("codeSearchPath: /does/not/exist.jar does not exist", message);
  }
}

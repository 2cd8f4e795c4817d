package org.sabir.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.net.URL;
import java.net.URLClassLoader;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Where a thread looks that works for a task now and then. */
final class CodePathTest {
  private static CodePath.Place place(String entry) {
    return new CodePath.Place(new URLClassLoader(new URL[0], CodePathTest.class.getClassLoader()), List.of(entry));
  }

  private static void assertLooksIn(CodePath.Place place) {
    assertSame(place.loader(), CodePath.loader());
    assertSame(place.loader(), Thread.currentThread().getContextClassLoader());
    assertSame(place, CodePath.place());
    assertEquals(place.entries(), CodePath.entries());
  }

  @Test
  void workForATaskLooksWhereTheTaskDoes() {
    ClassLoader before = CodePath.loader();
    CodePath.Place outer = place("/outer");
    CodePath.Place inner = place("/inner");
    CodePath.in(outer, () -> {
      assertLooksIn(outer);
      CodePath.in(inner, () -> assertLooksIn(inner));
      assertLooksIn(outer);
      CodePath.in(null, () -> assertLooksIn(outer));
    });
    assertSame(before, CodePath.loader());
    assertEquals(List.of(), CodePath.entries());
  }

  @Test
  void anErrorOfTheWorkLeavesNothingBehind() {
    ClassLoader before = Thread.currentThread().getContextClassLoader();
    CodePath.Place place = place("/place");
    assertThrows(IllegalStateException.class, () -> CodePath.in(place, () -> { throw new IllegalStateException(); }));
    assertSame(before, Thread.currentThread().getContextClassLoader());
    assertEquals(List.of(), CodePath.entries());
  }

  @Test
  void aDriverLooksAsItsThreadsDo() {
    CodePath.in(null, () -> assertSame(Thread.currentThread().getContextClassLoader(), CodePath.loader()));
  }
}

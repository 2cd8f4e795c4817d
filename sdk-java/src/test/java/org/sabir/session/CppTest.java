package org.sabir.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.sabir.ActorDiedException;
import org.sabir.ActorHandle;
import org.sabir.ActorMethod;
import org.sabir.CppActorClass;
import org.sabir.CppFunction;
import org.sabir.InvalidArgumentException;
import org.sabir.Language;
import org.sabir.NotFoundException;
import org.sabir.ObjectRef;
import org.sabir.Sabir;
import org.sabir.SabirException;
import org.sabir.SerializationException;
import org.sabir.TaskException;
import org.sabir.Tensor;

/** Java calls C++: sabir-cpp-worker loads the library of sdk-cpp/tests/support/library.cc from the code path. */
final class CppTest {
  private static final CppFunction<Double> SCALE = CppFunction.of("geo::scale", Double.class);
  private static final ActorMethod<Double> FILL = ActorMethod.of("fill", Double.class);

  @BeforeAll
  static void session() {
    Sessions.shared();
  }

  @AfterEach
  void theRuntimeGoesOn() {
    assertEquals(6.0, Sabir.task(SCALE, 2, 3).remote().get());
  }

  private static String message(Class<? extends SabirException> type, String function, Object... args) {
    ObjectRef<Object> ref = Sabir.task(CppFunction.of(function, Object.class), args).remote();
    return assertThrows(type, ref::get).getMessage();
  }

  private static void assertContains(String text, String part) {
    assertTrue(text.contains(part), () -> "no " + part + " in " + text);
  }

  @Test
  void functions() {
    ObjectRef<Double> three = Sabir.task(SCALE, 2, 1.5).remote();
    assertEquals(12.0, Sabir.task(SCALE, three, 4.0f).remote().get());
    assertEquals(4.0, Sabir.task(CppFunction.of("geo::scale_twice", Double.class), 1L).remote().get());
    // Java's task calls C++'s.
    assertEquals(10.0, Sabir.task(Functions::scaledByCpp, 5.0).remote().get());
  }

  @Test
  void values() {
    CppFunction<Object> echo = CppFunction.of("geo::echo", Object.class);
    List<Object> samples = Arrays.asList(null, true, 1L, Long.MIN_VALUE, BigInteger.ONE.shiftLeft(63),
        BigInteger.ONE.shiftLeft(90).negate(), 1.5, 2.5f, "h\u00e4\ud83d\udc0d", List.of(1L, List.of("x")),
        Map.of("key", List.of(1L)), Instant.ofEpochSecond(1_600_000_000, 123_456_789));
    for (Object sample : samples) {
      assertEquals(sample, Sabir.task(echo, sample).remote().get());
    }
    assertEquals(samples, Sabir.task(echo, samples).remote().get());
    Tensor matrix = Tensor.of(new int[] {1, 2, 3, 4, 5, 6}, 2, 3);
    assertEquals(Map.of("m", matrix), Sabir.task(echo, Map.of("m", matrix)).remote().get());
    double[] large = new double[1 << 18];
    Arrays.fill(large, 0.25);
    ObjectRef<Tensor> stored = Sabir.put(Tensor.of(large));
    assertEquals(65536.0, Sabir.task(CppFunction.of("geo::sum", Double.class), stored).remote().get());
    List<?> refs = (List<?>) Sabir.task(echo, List.of(stored)).remote().get();
    assertEquals(1 << 18, ((Tensor) ((ObjectRef<?>) refs.get(0)).get()).size());
  }

  @Test
  void actorsAndTheirHandles() {
    ActorHandle<Object> tank = Sabir.actor(CppActorClass.of("geo::make_tank"), 1.0).name("tank").remote();
    assertEquals(3.0, tank.task(FILL, 2).remote().get());
    assertEquals(Language.CPP, tank.language());
    ActorHandle<?> same = Sabir.getActor("tank").orElseThrow();
    assertEquals(5.0, same.task(FILL, 2.0).remote().get());
    assertEquals(7.0, Sabir.task(Functions::fill, tank).remote().get());
    // C++ calls an actor of Java by its handle.
    ActorHandle<Functions.Counter> counter = Sabir.actor(Functions.Counter::new, 10).remote();
    assertEquals(15, Sabir.task(CppFunction.of("geo::add_by_name", Integer.class), counter, 5).remote().get());
    assertEquals(16, counter.task(Functions.Counter::add, 1).remote().get());
    tank.kill();
    assertThrows(ActorDiedException.class, () -> tank.task(FILL, 1).remote().get());
  }

  @Test
  void whatCppThrows() {
    TaskException error = assertThrows(
        TaskException.class, () -> Sabir.task(CppFunction.of("geo::throwing", Integer.class)).remote().get());
    assertEquals("std::out_of_range", error.remoteType());
    assertEquals(Language.CPP, error.language());
    assertEquals("geo::throwing: std::out_of_range: out of the library", error.remoteMessage());
    assertContains(error.remoteStack(), "in geo::throwing");
  }

  @Test
  void whatIsMissingOrDoesNotFit() {
    String missing = message(NotFoundException.class, "geo::none");
    assertContains(missing, "there is no function 'geo::none'. Looked for in:");
    assertContains(missing, "libremote.so: has geo::scale, ");
    assertContains(message(NotFoundException.class, "geo::make_tank", 1.0), "there is no function 'geo::make_tank'");
    assertContains(message(InvalidArgumentException.class, "geo::scale", 1.0), "it takes 2 arguments, not 1");
    assertContains(message(InvalidArgumentException.class, "geo::scale", 1.0, "x"), "argument 2");
    CppFunction<Object> echo = CppFunction.of("geo::echo", Object.class);
    assertEquals("NEW", Sabir.task(echo, Thread.State.NEW).remote().get());
    String foreign = assertThrows(
        SerializationException.class, () -> Sabir.task(echo, List.of(1, java.net.URI.create("a:b"))).remote().get())
                         .getMessage();
    assertContains(foreign, "java.net.URI");
    ActorHandle<Object> none = Sabir.actor(CppActorClass.of("geo::no_factory")).remote();
    ActorDiedException died = assertThrows(ActorDiedException.class, () -> none.task(FILL, 1).remote().get());
    assertContains(died.getMessage(), "there is no factory of actors 'geo::no_factory'");
    ActorHandle<Object> tank = Sabir.actor(CppActorClass.of("geo::make_tank"), 1.0).remote();
    String method =
        assertThrows(NotFoundException.class, () -> tank.task(ActorMethod.of("empty", Double.class)).remote().get())
            .getMessage();
    assertContains(method, "there is no method of geo::Tank 'empty'");
    assertContains(method, "geo::Tank::fill");
    assertEquals(2.0, tank.task(FILL, 1).remote().get());
  }
}

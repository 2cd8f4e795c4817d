package org.sabir.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.sabir.ActorHandle;
import org.sabir.CppFunction;
import org.sabir.InvalidArgumentException;
import org.sabir.JavaFunction;
import org.sabir.NameTakenException;
import org.sabir.NamedFunction;
import org.sabir.NotFoundException;
import org.sabir.NotInitializedException;
import org.sabir.ObjectRef;
import org.sabir.PyFunction;
import org.sabir.Sabir;
import org.sabir.SabirException;
import org.sabir.SabirOptions;
import org.sabir.Session;
import org.sabir.session.Functions.Counter;

/** Sessions begin and end. In a JVM of its own. */
final class LifecycleTest {
  @Test
  void nothingWorksBeforeInitAndAfterShutdown() throws Exception {
    assertFalse(Sabir.isInitialized());
    assertThrows(NotInitializedException.class, () -> Sabir.put(1));
    assertThrows(NotInitializedException.class, () -> Sabir.task(Functions::add, 1, 2).remote());
    Sabir.shutdown();
    ObjectRef<Integer> ref;
    ObjectRef<Integer> slow;
    ActorHandle<Counter> counter;
    CompletableFuture<Integer> future;
    Thread waiting;
    try (Session session = Sabir.init(Sessions.options().namespace("mine").build())) {
      assertTrue(Sabir.isInitialized());
      assertEquals("mine", session.namespace());
      assertThrows(NameTakenException.class, () -> Sabir.init());
      ref = Sabir.task(Functions::add, 1, 2).remote();
      assertEquals(3, ref.get());
      counter = Sabir.actor(Counter::new, 1).remote();
      slow = Sabir.task(Functions::sleep, 60_000).remote();
      future = slow.toCompletableFuture();
      CompletableFuture<Throwable> ended = new CompletableFuture<>();
      ObjectRef<Integer> waitedFor = slow;
      waiting = new Thread(() -> ended.complete(assertThrows(NotInitializedException.class, waitedFor::get)));
      waiting.start();
      while (waiting.getState() == Thread.State.NEW) {
        Thread.onSpinWait();
      }
    }
    waiting.join();
    assertFalse(Sabir.isInitialized());
    assertThrows(NotInitializedException.class, ref::get);
    assertThrows(NotInitializedException.class, () -> counter.task(Counter::get).remote());
    assertThrows(NotInitializedException.class, slow::toCompletableFuture);
    ExecutionException closed = assertThrows(ExecutionException.class, future::get);
    assertTrue(closed.getCause() instanceof NotInitializedException);

    // Made beside the first session: workers start from it.
    Path cache = Path.of(System.getProperty("sabir.cache.dir"));
    for (boolean found = false; !found; Thread.sleep(10)) {
      try (Stream<Path> files = Files.list(cache)) {
        found = files.anyMatch(file -> file.toString().endsWith(".jsa"));
      }
    }

    // A second session in the same process; references of the first one are not its own.
    try (Session session = Sabir.init(Sessions.options().build())) {
      assertFalse(session.path().isEmpty());
      assertEquals(5, Sabir.task(Functions::add, 2, 3).remote().get());
      assertThrows(InvalidArgumentException.class, () -> Sabir.task(Functions::add, ref, 1).remote());
    }
  }

  private static String failure(NamedFunction<?> function) {
    return assertThrows(SabirException.class, () -> Sabir.task(function).remote().get(Duration.ofSeconds(50)))
        .getMessage();
  }

  @Test
  void workersThatCannotStart() {
    SabirOptions options =
        Sessions.options().cppWorker("/does/not/exist").workerJvmOptions("-no-such-option").logToDriver(false).build();
    try (Session session = Sabir.init(options)) {
      String cpp = failure(CppFunction.of("f", Object.class));
      assertTrue(cpp.contains("workers cannot be started") && cpp.contains("/does/not/exist"), cpp);
      String java = failure(JavaFunction.of("java.lang.Math", "random", Object.class));
      assertTrue(java.contains("Unrecognized option: -no-such-option"), java);
      String python = failure(PyFunction.of("math", "sqrt"));
      assertTrue(python.contains("this job has no workers for Python"), python);
      assertEquals(1, Sabir.put(1).get());
    }
  }

  @Test
  void wrongOptions() {
    assertThrows(InvalidArgumentException.class, () -> SabirOptions.builder().numCpus(-1));
    assertThrows(InvalidArgumentException.class, () -> SabirOptions.builder().resource("x", Double.NaN));
    assertThrows(NotFoundException.class, () -> Sabir.init(Sessions.options().address("auto").build()));
    SabirOptions hasty = Sessions.options().timeout(Duration.ofSeconds(-1)).build();
    assertThrows(InvalidArgumentException.class, () -> Sabir.init(hasty));
    assertFalse(Sabir.isInitialized());
  }
}

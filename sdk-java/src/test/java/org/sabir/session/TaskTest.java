package org.sabir.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.sabir.Arg;
import org.sabir.GetTimeoutException;
import org.sabir.InvalidArgumentException;
import org.sabir.JavaFunction;
import org.sabir.Node;
import org.sabir.ObjectRef;
import org.sabir.RemoteFunction1;
import org.sabir.Sabir;
import org.sabir.SerializationException;
import org.sabir.WaitInterruptedException;
import org.sabir.WaitResult;

/** Tasks, Java to Java. */
final class TaskTest {
  @BeforeAll
  static void session() {
    Sessions.shared();
  }

  @Test
  void methodReferencesAndLambdas() {
    assertEquals(3, Sabir.task(Functions::add, 1, 2).remote().get());
    assertEquals("hello you", Sabir.task(Functions::greet, "you").remote().get());
    assertEquals(null, Sabir.action(Functions::nothing).remote().get());
    assertEquals(55, Sabir.task(Functions::ten, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10).remote().get());
    int captured = 40;
    assertEquals(42, Sabir.task((Integer x) -> x + captured, 2).remote().get());
    // A method of an object: the object travels as the first argument.
    assertEquals("ABC", Sabir.task(String::toUpperCase, "abc").remote().get());
    assertEquals("abcd", Sabir.task("abc" ::concat, "d").remote().get());
    assertEquals(7, Sabir.task((RemoteFunction1<Integer, Integer>) Functions::same, 7).remote().get());
  }

  @Test
  void referencesAsArgumentsAndInsideContainers() {
    ObjectRef<Integer> one = Sabir.task(Functions::add, 0, 1).remote();
    ObjectRef<Integer> two = Sabir.task(Functions::add, one, one).remote();
    assertEquals(3, Sabir.task(Functions::add, two, 1).remote().get());
    assertEquals(3, Sabir.task(Functions::sumOfRefs, Map.of("a", one, "b", two)).remote().get());
    assertEquals(15,
        Sabir
            .task(Functions::ten, one, two, Arg.of(3), Arg.of(1), Arg.of(1), Arg.of(1), Arg.of(1), Arg.of(2), Arg.of(2),
                Arg.of(1))
            .remote()
            .get());
    ObjectRef<Integer> put = Sabir.put(5);
    assertEquals(6, Sabir.task(Functions::add, put, 1).remote().get());
  }

  @Test
  void declaredTypesOfItemsAreKept() {
    assertEquals(6, Sabir.task(Functions::sum, List.of(1, 2, 3)).remote().get());
    Map<String, List<Integer>> table = Sabir.task(Functions::table, 3).remote().get();
    int last = table.get("column").get(2);
    assertEquals(2, last);
  }

  @Test
  void tasksCallTasksOnTwoCpus() {
    assertEquals(8, Sabir.task(Functions::fibonacci, 6).remote().get());
  }

  @Test
  void manyPipelinedTasks() {
    int count = 10_000;
    List<ObjectRef<Integer>> refs = new ArrayList<>(count);
    for (int i = 0; i < count; ++i) {
      refs.add(Sabir.task(Functions::add, i, 1).remote());
    }
    List<Integer> values = Sabir.get(refs);
    for (int i = 0; i < count; ++i) {
      assertEquals(i + 1, values.get(i));
    }
  }

  @Test
  void severalResults() {
    List<ObjectRef<Object>> three = Sabir.task(Functions::three, "x").remoteMany(3);
    assertEquals("x", three.get(0).get());
    assertEquals(2, three.get(1).as(Integer.class).get());
    assertEquals(List.of(), three.get(2).get());
    InvalidArgumentException error = assertThrows(
        InvalidArgumentException.class, () -> Sabir.task(Functions::three, "x").remoteMany(2).get(0).get());
    assertTrue(error.getMessage().contains("was to return 2 values"), error.getMessage());
  }

  @Test
  void nodesAndResources() {
    List<Node> nodes = Sabir.nodes();
    assertEquals(1, nodes.size());
    assertEquals(32, nodes.get(0).nodeId().length());
    assertTrue(nodes.get(0).alive());
    assertTrue(nodes.get(0).storeCapacityBytes() > 0);
    assertEquals(2.0, nodes.get(0).resources().get("CPU"));
    assertEquals(nodes.get(0).resources(), Sabir.clusterResources());
    assertTrue(Sabir.availableResources().get("CPU") <= 2);
    assertTrue(Sabir.status().contains(nodes.get(0).nodeId()));
  }

  @Test
  void waitAndTimeouts() {
    ObjectRef<Integer> slow = Sabir.task(Functions::sleep, 60_000).maxRetries(0).remote();
    ObjectRef<Integer> fast = Sabir.task(Functions::add, 1, 1).remote();
    WaitResult<Integer> result = Sabir.wait(List.of(slow, fast), 1, Duration.ofSeconds(30));
    assertEquals(List.of(fast), result.ready(), Sabir::status);
    assertEquals(List.of(slow), result.unready());
    assertThrows(GetTimeoutException.class, () -> slow.get(Duration.ofMillis(20)));
    assertThrows(GetTimeoutException.class, () -> slow.get(Duration.ZERO));
    assertThrows(GetTimeoutException.class, () -> Sabir.get(List.of(fast, slow), Duration.ofMillis(20)));
    assertFalse(slow.isReady());
    assertEquals(List.of(), Sabir.wait(List.of(slow), 1, Duration.ofMillis(20)).ready());
    assertThrows(InvalidArgumentException.class, () -> Sabir.wait(List.of(fast, fast), 1, null));
    Duration negative = Duration.ofNanos(-1);
    assertThrows(InvalidArgumentException.class, () -> fast.get(negative));
    assertThrows(InvalidArgumentException.class, () -> Sabir.get(List.of(fast), negative));
    assertThrows(InvalidArgumentException.class, () -> Sabir.wait(List.of(fast), 1, negative));
    interruptsEndWaits(slow);
    // Its worker is busy for a minute: the session's end will not wait for it.
  }

  private static void interruptsEndWaits(ObjectRef<Integer> slow) {
    Thread me = Thread.currentThread();
    Thread other = new Thread(() -> {
      while (me.getState() != Thread.State.RUNNABLE || !inGet(me)) {
        Thread.onSpinWait();
      }
      me.interrupt();
    });
    other.start();
    assertThrows(WaitInterruptedException.class, slow::get);
    assertTrue(Thread.interrupted(), "the mark stays");
    // Before the wait began, and afterwards everything works again.
    me.interrupt();
    assertThrows(WaitInterruptedException.class, () -> Sabir.wait(List.of(slow)));
    assertTrue(Thread.interrupted());
    assertThrows(GetTimeoutException.class, () -> slow.get(Duration.ofMillis(20)));
    assertEquals(2, Sabir.task(Functions::add, 1, 1).remote().get());
  }

  private static boolean inGet(Thread thread) {
    for (StackTraceElement frame : thread.getStackTrace()) {
      if (frame.getMethodName().equals("getAll") || frame.getMethodName().equals("get")) {
        return true;
      }
    }
    return false;
  }

  @Test
  void futures() throws Exception {
    List<java.util.concurrent.CompletableFuture<Integer>> futures = new ArrayList<>();
    for (int i = 0; i < 100; ++i) {
      futures.add(Sabir.task(Functions::add, i, i).remote().toCompletableFuture().thenApply(sum -> sum / 2));
    }
    for (int i = 0; i < 100; ++i) {
      assertEquals(i, futures.get(i).get(60, TimeUnit.SECONDS));
    }
  }

  @Test
  void whatCannotBeSentIsNamed() {
    Object socket = new Thread();
    SerializationException error =
        assertThrows(SerializationException.class, () -> Sabir.task(Functions::same, List.of(1, socket)).remote());
    assertTrue(
        error.getMessage().startsWith("argument 1 of Functions.same: [1]: java.lang.Thread"), error.getMessage());
    SerializationException result = assertThrows(
        SerializationException.class, () -> Sabir.task(() -> (Object) Thread.currentThread()).remote().get());
    assertTrue(result.getMessage().contains("the result of "), result.getMessage());
  }

  @Test
  void byName() {
    String functions = "org.sabir.session.Functions";
    assertEquals(5, Sabir.task(JavaFunction.of(functions, "add", Integer.class), 2, 3).remote().get());
    SerializationException wrong = assertThrows(SerializationException.class,
        () -> Sabir.task(JavaFunction.of(functions, "add", Integer.class), 2, "x").remote().get());
    assertTrue(wrong.getMessage().contains("argument 2 of Functions.add"), wrong.getMessage());
    assertEquals("12", Sabir.task(JavaFunction.of("java.lang.String", "valueOf", String.class), 12).remote().get());
  }

  @Test
  void contextOfATask() {
    assertEquals(Sabir.context().jobId() + " 32", Sabir.task(Functions::who).remote().get());
    assertTrue(Sabir.status().startsWith("{"));
  }

  @Test
  void lambdasKeepTheReferencesThatTheyCapture() {
    ObjectRef<Integer> four = Sabir.put(4);
    List<ObjectRef<Integer>> list = List.of(four, Sabir.put(5));
    assertEquals(5, Sabir.task(() -> four.get() + 1).remote().get());
    assertEquals(9, Sabir.task(() -> list.get(0).get() + list.get(1).get()).remote().get());
  }
}

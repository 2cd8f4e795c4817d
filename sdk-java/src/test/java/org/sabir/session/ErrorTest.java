package org.sabir.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.sabir.CppFunction;
import org.sabir.ErrorKind;
import org.sabir.JavaFunction;
import org.sabir.Language;
import org.sabir.NotFoundException;
import org.sabir.RemoteFunction0;
import org.sabir.Sabir;
import org.sabir.SabirException;
import org.sabir.SerializationException;
import org.sabir.TaskException;
import org.sabir.WorkerCrashedException;

/** Errors of tasks, Java to Java: each has its type, and the runtime goes on. */
final class ErrorTest {
  @BeforeAll
  static void session() {
    Sessions.shared();
  }

  @AfterEach
  void theRuntimeGoesOn() {
    assertEquals(3, Sabir.task(Functions::add, 1, 2).remote().get());
  }

  private static TaskException thrown(RemoteFunction0<Integer> code) {
    return assertThrows(TaskException.class, () -> Sabir.task(code).maxRetries(0).remote().get());
  }

  @Test
  void typeMessageStackAndCausesArrive() {
    TaskException error = assertThrows(TaskException.class, () -> Sabir.task(Failing::withCause, "x").remote().get());
    assertEquals(ErrorKind.TASK_FAILED, error.kind());
    assertEquals(Language.JAVA, error.language());
    assertEquals("java.lang.IllegalStateException", error.remoteType());
    assertEquals("Failing.withCause: IllegalStateException: cannot count x", error.remoteMessage());
    assertTrue(error.remoteStack().contains("at org.sabir.session.Failing.withCause"), error.remoteStack());
    assertTrue(error.getMessage().contains("Caused by: java.lang.NumberFormatException"), error.getMessage());
    IllegalStateException original = assertInstanceOf(IllegalStateException.class, error.getCause());
    assertInstanceOf(NumberFormatException.class, original.getCause());
    ExecutionException future = assertThrows(
        ExecutionException.class, () -> Sabir.task(Failing::withCause, "x").remote().toCompletableFuture().get());
    assertInstanceOf(TaskException.class, future.getCause());
    assertThrows(TaskException.class, () -> Sabir.get(List.of(Sabir.task(Failing::withCause, "x").remote())));
    assertEquals("java.io.IOException", thrown(Failing::checked).remoteType());
  }

  @Test
  void anErrorThroughTwoTasksHasBothStacks() {
    TaskException error = assertThrows(TaskException.class, () -> Sabir.task(Failing::outer, "x").remote().get());
    assertEquals("org.sabir.TaskException", error.remoteType());
    assertTrue(error.remoteStack().contains("at org.sabir.session.Failing.outer"), error.remoteStack());
    assertTrue(error.remoteStack().contains("at org.sabir.session.Failing.withCause"), error.remoteStack());
    Throwable inner = error.getCause();
    assertInstanceOf(TaskException.class, inner);
    assertEquals("java.lang.IllegalStateException", ((TaskException) inner).remoteType());
  }

  @Test
  void exceptionsThatCannotBeSentOrReadOrShown() {
    TaskException notSendable = thrown(Failing::notSendable);
    assertEquals("org.sabir.session.Failing$NotSendable", notSendable.remoteType());
    assertTrue(notSendable.remoteMessage().contains("with a field that cannot be sent"));
    TaskException broken = thrown(Failing::broken);
    assertEquals("org.sabir.session.Failing$Broken", broken.remoteType());
    assertTrue(broken.remoteMessage().contains("getMessage() threw"), broken.remoteMessage());
    assertTrue(broken.remoteStack().contains("Failing.broken"), broken.remoteStack());
  }

  @Test
  void errorsOfTheMachine() {
    assertEquals("java.lang.StackOverflowError",
        assertThrows(TaskException.class, () -> Sabir.task(Failing::recursion, 0).remote().get()).remoteType());
    assertEquals("java.lang.OutOfMemoryError", thrown(Failing::memory).remoteType());
  }

  @Test
  void theEndOfTheWorker() {
    TaskException exit = thrown(Failing::exit);
    assertTrue(exit.remoteMessage().contains("System.exit() was called"), exit.remoteMessage());
    SabirException halt =
        assertThrows(WorkerCrashedException.class, () -> Sabir.task(Failing::halt).maxRetries(1).remote().get());
    assertTrue(halt.getMessage().contains("4"), halt.getMessage());
  }

  @Test
  void retriesOfErrors() throws Exception {
    Path file = Files.createTempFile("sabir-java-", ".tries");
    assertEquals(
        3, Sabir.task(Failing::untilThird, file.toString()).retryExceptions(true).maxRetries(5).remote().get());
    Files.writeString(file, "");
    assertThrows(TaskException.class, () -> Sabir.task(Failing::untilThird, file.toString()).remote().get());
    assertEquals("x", Files.readString(file), "without the option it ran once");
    Files.delete(file);
  }

  @Test
  void aFailedArgumentFailsTheCall() {
    var failed = Sabir.task(Failing::checked).remote();
    assertThrows(TaskException.class, () -> Sabir.task(Functions::add, failed, 1).remote().get());
    // Inside a container it is only a reference.
    assertEquals(1, Sabir.task((List<Object> refs) -> refs.size(), List.of((Object) failed)).remote().get());
  }

  @Test
  void whatOnlyJavaKnowsStaysInJava() {
    List<Object> cyclic = new java.util.ArrayList<>();
    cyclic.add(cyclic);
    List<?> same = (List<?>) Sabir.task(Functions::same, (Object) cyclic).remote().get();
    assertEquals(System.identityHashCode(same), System.identityHashCode(same.get(0)));
    String half = "half \ud800 of a pair";
    assertEquals(half, Sabir.task(Functions::same, half).remote().get());
    CppFunction<Object> echo = CppFunction.of("geo::echo", Object.class);
    String refused = assertThrows(SerializationException.class, () -> Sabir.task(echo, cyclic).remote()).getMessage();
    assertTrue(refused.contains("argument 1 of geo::echo") && refused.contains("contains itself"), refused);
    refused =
        assertThrows(SerializationException.class, () -> Sabir.task(echo, List.of(1, half)).remote()).getMessage();
    assertTrue(refused.contains("[1]") && refused.contains("half of a surrogate pair"), refused);
  }

  @Test
  void missingClassesAndMethodsAreNamed() {
    NotFoundException noClass = assertThrows(NotFoundException.class,
        () -> Sabir.task(JavaFunction.of("com.example.Functions", "add", Integer.class), 1).remote().get());
    assertTrue(noClass.getMessage().contains("there is no class com.example.Functions"), noClass.getMessage());
    assertTrue(noClass.getMessage().contains("session_tests.jar"), noClass.getMessage());
    assertTrue(noClass.getMessage().contains("There is org.sabir.session.Functions"), noClass.getMessage());
    NotFoundException noMethod = assertThrows(NotFoundException.class,
        () -> Sabir.task(JavaFunction.of("org.sabir.session.Functions", "plus", Integer.class), 1).remote().get());
    assertTrue(noMethod.getMessage().contains("has no method plus. It has add(int, int)"), noMethod.getMessage());
    SabirException ambiguous = assertThrows(SabirException.class,
        () -> Sabir.task(JavaFunction.of("java.lang.String", "valueOf", String.class), List.of(), 1).remote().get());
    assertTrue(
        ambiguous.getMessage().contains("no method fits the arguments (ArrayList, Long)"), ambiguous.getMessage());
  }
}

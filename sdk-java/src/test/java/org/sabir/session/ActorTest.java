package org.sabir.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.sabir.ActorDiedException;
import org.sabir.ActorHandle;
import org.sabir.ActorMethod;
import org.sabir.ActorOptions;
import org.sabir.ActorUnavailableException;
import org.sabir.JavaActorClass;
import org.sabir.Language;
import org.sabir.NameTakenException;
import org.sabir.NotFoundException;
import org.sabir.ObjectRef;
import org.sabir.Sabir;
import org.sabir.TaskException;
import org.sabir.session.Functions.Counter;

/** Actors, Java to Java. */
final class ActorTest {
  @BeforeAll
  static void session() {
    Sessions.shared();
  }

  @Test
  void stateAndOrder() {
    ActorHandle<Counter> counter = Sabir.actor(Counter::new, 100).remote();
    List<ObjectRef<Integer>> calls = new ArrayList<>();
    for (int i = 0; i < 1000; ++i) {
      calls.add(counter.task(Counter::add, 1).remote());
    }
    // A call whose argument is not there yet holds back those behind it.
    ObjectRef<Integer> late = counter.task(Counter::add, Sabir.task(Functions::sleep, 30).remote()).remote();
    ObjectRef<Integer> behind = counter.task(Counter::get).remote();
    List<Integer> values = Sabir.get(calls);
    for (int i = 0; i < 1000; ++i) {
      assertEquals(101 + i, values.get(i));
    }
    assertEquals(1130, behind.get());
    assertEquals(1130, late.get());
    assertEquals(null, counter.action(Counter::reset).remote().get());
    assertEquals(0, counter.task(Counter::get).remote().get());
    assertEquals(Language.JAVA, counter.language());
    assertEquals(32, counter.id().length());
    // Handles travel; a method can also be named.
    assertEquals(5, Sabir.task(Functions::callActor, counter, 5).remote().get());
    assertEquals(6, counter.task(ActorMethod.of("add", Integer.class), 1).remote().get());
    NotFoundException missing =
        assertThrows(NotFoundException.class, () -> counter.task(ActorMethod.of("subtract"), 1).remote().get());
    assertTrue(missing.getMessage().contains("has no method subtract. It has add(int)"), missing.getMessage());
    counter.kill();
    ActorDiedException died = assertThrows(ActorDiedException.class, () -> counter.task(Counter::get).remote().get());
    assertTrue(died.getMessage().contains("Counter"), died.getMessage());
  }

  @Test
  void namesAndFactories() {
    ActorHandle<Counter> made = Sabir.actor(Counter::create, 1, 2).name("the counter").remote();
    assertEquals(3, made.task(Counter::get).remote().get());
    Optional<ActorHandle<Counter>> found = Sabir.getActor("the counter");
    assertEquals(made, found.orElseThrow());
    assertEquals(4, found.get().task(Counter::add, 1).remote().get());
    assertThrows(NameTakenException.class, () -> Sabir.actor(Counter::new, 0).name("the counter").remote());
    ActorHandle<Counter> same = Sabir.actor(Counter::new, 0)
                                    .options(ActorOptions.builder().name("the counter").getIfExists(true).build())
                                    .remote();
    assertEquals(4, same.task(Counter::get).remote().get());
    assertEquals(Optional.empty(), Sabir.getActor("nobody"));
    ActorDiedException left = assertThrows(ActorDiedException.class, () -> made.action(Counter::exit).remote().get());
    assertTrue(left.getMessage().contains("exitActor()"), left.getMessage());
    assertThrows(ActorDiedException.class, () -> made.task(Counter::get).remote().get());
  }

  @Test
  void errorsOfTheConstructorReachTheCalls() {
    ActorHandle<Counter> broken = Sabir.actor(Counter::new, -1).remote();
    ActorDiedException error = assertThrows(ActorDiedException.class, () -> broken.task(Counter::get).remote().get());
    TaskException cause = (TaskException) error.getCause();
    assertEquals("java.lang.IllegalArgumentException", cause.remoteType());
    assertEquals("a counter below zero", cause.getCause().getMessage());
  }

  @Test
  void deathsAndRestarts() {
    ActorHandle<Object> byName = Sabir.actor(JavaActorClass.of("org.sabir.session.Functions$Counter"), 10)
                                     .options(ActorOptions.builder().maxRestarts(1).build())
                                     .remote();
    ActorMethod<Long> pid = ActorMethod.of("pid", Long.class);
    long first = byName.task(pid).remote().get();
    assertEquals(11, byName.task(ActorMethod.of("add", Integer.class), 1).remote().get());
    assertThrows(ActorUnavailableException.class, () -> byName.task(ActorMethod.of("crash")).remote().get());
    assertEquals(10, byName.task(ActorMethod.of("get", Integer.class)).remote().get());
    assertNotEquals(first, byName.task(pid).remote().get());
    assertThrows(ActorDiedException.class, () -> byName.task(ActorMethod.of("crash")).remote().get());
  }
}

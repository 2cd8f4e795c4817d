package org.sabir.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.sabir.ActorHandle;
import org.sabir.GetTimeoutException;
import org.sabir.InvalidArgumentException;
import org.sabir.ObjectRef;
import org.sabir.Sabir;
import org.sabir.SabirException;
import org.sabir.SabirOptions;
import org.sabir.Session;
import org.sabir.TaskException;
import org.sabir.WaitResult;
import org.sabir.WorkerCrashedException;

/**
 * Workers that share a JVM: four slots on four CPUs. Each test has a session of its own, and so begins with one JVM.
 */
final class SlotsTest {
  private static final int SLOTS = 4;
  private Session session;

  @BeforeEach
  void start() {
    session = Sabir.init(Sessions.options().numCpus(SLOTS).slotsPerJvm(SLOTS).workerJvmOptions("-Xmx200m").build());
  }

  @AfterEach
  void stop() {
    session.close();
  }

  // --- what runs in the workers: static fields are what the slots of a JVM have in common

  private static final CyclicBarrier MEETING = new CyclicBarrier(SLOTS);
  private static volatile ObjectRef<Integer> leftRef;
  private static volatile ObjectRef<byte[]> leftLarge;
  private static volatile ActorHandle<Functions.Counter> leftActor;
  private static final CountDownLatch LEFT = new CountDownLatch(1);
  private static final CountDownLatch TAKEN = new CountDownLatch(1);

  static long meet() throws Exception {
    MEETING.await(30, TimeUnit.SECONDS);
    return ProcessHandle.current().pid();
  }

  static int slow(int value) throws Exception {
    Thread.sleep(300);
    return value;
  }

  private static final Semaphore SLEEPING = new Semaphore(0);

  /** The first attempt sleeps until its process ends; the next one returns. */
  static int sleepUnlessRetried() throws Exception {
    if (Sabir.context().attempt() == 0) {
      SLEEPING.release();
      Thread.sleep(60_000);
    }
    return Sabir.context().attempt();
  }

  static int exitBeside(int sleeping) throws Exception {
    SLEEPING.acquire(sleeping);
    System.exit(3);
    return 0;
  }

  static int exitBesideInAThread(int sleeping) throws Exception {
    SLEEPING.acquire(sleeping);
    Thread helper = new Thread(() -> System.exit(3));
    helper.start();
    helper.join();
    return 0;
  }

  static int haltBeside(int sleeping) throws Exception {
    SLEEPING.acquire(sleeping);
    Runtime.getRuntime().halt(4);
    return 0;
  }

  /** Leaves what belongs to this slot, and stays until a neighbour has used it. */
  static boolean leave(ActorHandle<Functions.Counter> actor) throws Exception {
    leftRef = Sabir.task(SlotsTest::slow, 20).remote(); // pending
    leftLarge = Sabir.put(new byte[1 << 20]);
    leftActor = actor;
    LEFT.countDown();
    return TAKEN.await(30, TimeUnit.SECONDS);
  }

  static List<Integer> take() throws Exception {
    LEFT.await(30, TimeUnit.SECONDS);
    List<Integer> seen = new ArrayList<>();
    seen.add(Sabir.task(Functions::add, leftRef, 1).remote().get()); // as an argument
    seen.add(Sabir.task(Functions::sumOfRefs, Map.of("a", leftRef, "b", Sabir.put(2))).remote().get()); // inside
    seen.add(leftRef.get());
    WaitResult<byte[]> ready = Sabir.wait(List.of(leftLarge), 1, Duration.ofSeconds(30));
    seen.add(ready.ready().get(0).get().length);
    seen.add(Sabir.get(List.of(leftRef, Sabir.put(5))).get(1));
    seen.add(leftActor.task(Functions.Counter::add, leftRef).remote().get()); // by the neighbour's handle
    seen.add(Sabir.task(Functions::callActor, leftActor, 2).remote().get()); // the handle as an argument
    seen.add(ForkJoinPool.commonPool().submit(() -> leftRef.get()).get()); // a thread that is nobody's
    TAKEN.countDown();
    return seen;
  }

  /** Four levels, each waiting for the next: more slots than one process has. */
  static int nested(int depth) {
    return depth == 0 ? 0 : 1 + Sabir.task(SlotsTest::nested, depth - 1).remote().get();
  }

  private static final Queue<ObjectRef<byte[]>> EXCHANGE = new ConcurrentLinkedQueue<>();
  private static final int[] SIZES = {0, 10, 5_000, 200_000, 1_500_000};

  static byte[] bytes(int size) {
    return new byte[size];
  }

  static List<ObjectRef<byte[]>> nestedBytes(int size) {
    return List.of(Sabir.put(new byte[size]), Sabir.task(SlotsTest::bytes, size).remote());
  }

  static int lengthOfAll(List<ObjectRef<byte[]>> refs) {
    return refs.stream().mapToInt(ref -> ref.get().length).sum();
  }

  /** Puts references where all slots find them, and uses what it finds there. */
  static int exchange(int seed) {
    Random random = new Random(seed);
    int used = 0;
    for (int i = 0; i < 12; ++i) {
      int size = SIZES[random.nextInt(SIZES.length)];
      int kind = random.nextInt(3);
      if (kind == 0) {
        EXCHANGE.add(Sabir.put(new byte[size]));
      } else if (kind == 1) {
        EXCHANGE.add(Sabir.task(SlotsTest::bytes, size).remote());
      } else {
        EXCHANGE.addAll(Sabir.task(SlotsTest::nestedBytes, size).remote().get());
      }
      ObjectRef<byte[]> found = EXCHANGE.poll();
      if (found == null) {
        continue;
      }
      int length = found.get().length;
      int use = random.nextInt(3);
      if (use == 0) {
        assertEquals(length, Sabir.task(SlotsTest::lengthOfAll, List.of(found)).remote().get());
      } else if (use == 1) {
        assertEquals(length, Sabir.get(List.of(found)).get(0).length);
      } else {
        EXCHANGE.add(found);
      }
      ++used;
    }
    while (EXCHANGE.size() > 30) {
      EXCHANGE.poll();
    }
    return used;
  }

  private static Object[] kept;

  /** Leaves no memory for anything, not even for telling so. */
  static int fillTheHeap(int sleeping) throws Exception {
    SLEEPING.acquire(sleeping);
    for (int size = 1 << 20; size >= 8; size /= 2) {
      try {
        for (;;) {
          kept = new Object[] {kept, new byte[size]};
        }
      } catch (OutOfMemoryError full) {
        // smaller ones fit
      }
    }
    throw new IllegalStateException("full");
  }

  static long pid() {
    return ProcessHandle.current().pid();
  }

  // --- the tests

  @Test
  void fourTasksMeetInOneJvm() {
    List<ObjectRef<Long>> meeting = new ArrayList<>();
    for (int i = 0; i < SLOTS; ++i) {
      meeting.add(Sabir.task(SlotsTest::meet).remote());
    }
    assertEquals(1, Set.copyOf(Sabir.get(meeting, Duration.ofSeconds(60))).size());
  }

  @Test
  void referencesAndHandlesOfANeighbour() {
    ActorHandle<Functions.Counter> actor = Sabir.actor(Functions.Counter::new, 0).remote();
    ObjectRef<Boolean> left = Sabir.task(SlotsTest::leave, actor).remote();
    ObjectRef<List<Integer>> taken = Sabir.task(SlotsTest::take).remote();
    assertEquals(List.of(21, 22, 20, 1 << 20, 5, 20, 22, 20), taken.get(Duration.ofSeconds(60)));
    assertTrue(left.get());
  }

  @Test
  void referencesGoFromSlotToSlotUnderLoad() {
    List<ObjectRef<Integer>> rounds = new ArrayList<>();
    for (int seed = 0; seed < 200; ++seed) {
      rounds.add(Sabir.task(SlotsTest::exchange, seed).maxRetries(0).remote());
    }
    assertTrue(Sabir.get(rounds, Duration.ofSeconds(120)).stream().mapToInt(Integer::intValue).sum() > 0);
  }

  @Test
  void aFullHeapLeavesNoCallWaiting() {
    ObjectRef<Integer> beside = Sabir.task(SlotsTest::sleepUnlessRetried).remote(); // keeps a JVM whose worker is gone
    ObjectRef<Integer> fills = Sabir.task(SlotsTest::fillTheHeap, 1).maxRetries(0).remote();
    SabirException told = assertThrows(SabirException.class, () -> fills.get(Duration.ofSeconds(50)));
    assertFalse(told instanceof GetTimeoutException, "nobody answers for it");
    assertFalse(beside.id().isEmpty());
  }

  @Test
  void callsNestedDeeperThanAProcessHasSlots() {
    assertEquals(2 * SLOTS + 1, Sabir.task(SlotsTest::nested, 2 * SLOTS + 1).remote().get(Duration.ofSeconds(120)));
    assertEquals(8, Sabir.task(Functions::fibonacci, 6).remote().get(Duration.ofSeconds(120)));
  }

  @Test
  void anExitFailsItselfAndTakesItsNeighboursAlong() {
    ObjectRef<Integer> alone = Sabir.task(SlotsTest::sleepUnlessRetried).maxRetries(0).remote();
    ObjectRef<Integer> again = Sabir.task(SlotsTest::sleepUnlessRetried).remote();
    ObjectRef<Integer> exits = Sabir.task(SlotsTest::exitBeside, 2).remote();
    TaskException exit = assertThrows(TaskException.class, () -> exits.get(Duration.ofSeconds(60)));
    assertTrue(exit.remoteMessage().contains("System.exit() was called"), exit.remoteMessage());
    SabirException died = assertThrows(WorkerCrashedException.class, () -> alone.get(Duration.ofSeconds(60)));
    assertTrue(died.getMessage().contains("exited with status 3"), died.getMessage());
    assertEquals(1, again.get(Duration.ofSeconds(60)));
  }

  @Test
  void anExitInAThreadIsThatOfItsCall() {
    List<ObjectRef<Integer>> again = new ArrayList<>();
    for (int i = 1; i < SLOTS; ++i) {
      again.add(Sabir.task(SlotsTest::sleepUnlessRetried).remote());
    }
    ObjectRef<Integer> exits = Sabir.task(SlotsTest::exitBesideInAThread, SLOTS - 1).remote();
    TaskException exit = assertThrows(TaskException.class, () -> exits.get(Duration.ofSeconds(60)));
    assertTrue(exit.remoteMessage().contains("System.exit() was called"), exit.remoteMessage());
    assertEquals(List.of(1, 1, 1), Sabir.get(again, Duration.ofSeconds(60)));
  }

  @Test
  void aCrashFailsEachSlotWithATypedError() {
    ObjectRef<Integer> alone = Sabir.task(SlotsTest::sleepUnlessRetried).maxRetries(0).remote();
    ObjectRef<Integer> halts = Sabir.task(SlotsTest::haltBeside, 1).maxRetries(0).remote();
    for (ObjectRef<?> ref : List.of(alone, halts)) {
      SabirException died = assertThrows(WorkerCrashedException.class, () -> ref.get(Duration.ofSeconds(60)));
      assertTrue(died.getMessage().contains("exited with status 4"), died.getMessage());
    }
    assertEquals(3, Sabir.task(Functions::add, 1, 2).remote().get(Duration.ofSeconds(60)));
  }

  @Test
  void anActorHasAJvmOfItsOwn() {
    ActorHandle<Functions.Counter> one = Sabir.actor(Functions.Counter::new, 0).numCpus(0).remote();
    ActorHandle<Functions.Counter> two = Sabir.actor(Functions.Counter::new, 0).numCpus(0).remote();
    long first = one.task(Functions.Counter::pid).remote().get(Duration.ofSeconds(60));
    assertNotEquals(first, two.task(Functions.Counter::pid).remote().get(Duration.ofSeconds(60)));
    assertNotEquals(first, Sabir.task(SlotsTest::pid).remote().get());
    one.kill();
    assertTrue(two.task(Functions.Counter::add, 1).remote().get(Duration.ofSeconds(60)) > 0);
  }

  @Test
  void whatIsNotNeededLeavesAsAWhole() throws Exception {
    assertEquals(3 * SLOTS, Sabir.task(SlotsTest::nested, 3 * SLOTS).remote().get(Duration.ofSeconds(120)));
    assertTrue(taskProcesses().size() > 1);
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (taskProcesses().size() > 1 && System.nanoTime() < deadline) {
      Thread.sleep(200);
    }
    assertEquals(1, taskProcesses().size(), Sabir.status());
    assertEquals(3, Sabir.task(Functions::add, 1, 2).remote().get(Duration.ofSeconds(60)));
  }

  /** Process ids of the workers that run tasks, as the status has them. */
  private static Set<String> taskProcesses() {
    Set<String> pids = new TreeSet<>();
    Matcher worker = Pattern.compile("\\{[^{}]*\"pid\":(\\d+)[^{}]*\"state\":\"(idle|busy|blocked|leaving)\"[^{}]*\\}")
                         .matcher(Sabir.status());
    while (worker.find()) {
      pids.add(worker.group(1));
    }
    pids.remove("0");
    return pids;
  }

  @Test
  void aNumberOfSlotsThatCannotBe() {
    for (int slots : new int[] {0, -1, 65, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
      Exception error = assertThrows(InvalidArgumentException.class, () -> SabirOptions.builder().slotsPerJvm(slots));
      assertEquals(slots + " slots per JVM: 1 to 64", error.getMessage());
    }
    assertFalse(SabirOptions.DEFAULT.slotsPerJvm() > 1);
  }
}

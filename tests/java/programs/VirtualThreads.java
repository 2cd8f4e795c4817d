import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.sabir.ObjectRef;
import org.sabir.Sabir;
import org.sabir.SabirOptions;
import org.sabir.Session;
import org.sabir.WaitInterruptedException;

/** VirtualThreads SESSIONS GATE: a thousand virtual threads on two carriers wait for tasks, and hold none of them. */
public class VirtualThreads {
  private static final int THREADS = 1000;
  private static final Duration LONG = Duration.ofMinutes(3);

  static int afterGate(String gate, int value) throws InterruptedException {
    while (!Files.exists(Path.of(gate))) {
      Thread.sleep(5);
    }
    return value;
  }

  static int javaVersion() {
    return Runtime.version().feature();
  }

  private static void check(boolean isTrue, String what) {
    if (!isTrue) {
      throw new AssertionError(what);
    }
  }

  private static int waitSomehow(int way, List<ObjectRef<Integer>> refs) {
    return switch (way % 4) {
      case 0 -> refs.get(0).get() + refs.get(1).get(); case 1 -> refs.get(0).get(LONG) + refs.get(1).get(LONG);
          case 2 -> Sabir.get(refs).stream().mapToInt(value -> value).sum(); default
                                                                             -> {
            var result = Sabir.wait(refs, 2, LONG); yield result.ready().size() == 2 ? 3:
        -1;
    }
  };
}

public static void main(String[] args) throws Exception {
  var options = SabirOptions.builder().address("local").numCpus(2).sessionRoot(args[0]).build();
  try (Session session = Sabir.init(options)) {
    check(Sabir.task(VirtualThreads::javaVersion).remote().get() == Runtime.version().feature(), "another JDK");
    List<ObjectRef<Integer>> refs = List.of(Sabir.task(VirtualThreads::afterGate, args[1], 1).remote(),
        Sabir.task(VirtualThreads::afterGate, args[1], 2).remote());
    CountDownLatch begun = new CountDownLatch(THREADS);
    CountDownLatch done = new CountDownLatch(THREADS);
    AtomicInteger sum = new AtomicInteger();
    for (int i = 0; i < THREADS; ++i) {
      int way = i;
      Thread.startVirtualThread(() -> {
        begun.countDown();
        sum.addAndGet(waitSomehow(way, refs));
        done.countDown();
      });
    }
    // Two that held their carriers would let no third one begin.
    check(begun.await(100, TimeUnit.SECONDS), begun.getCount() + " threads have not begun: the carriers are held");
    check(done.getCount() == THREADS, "nobody has waited");
    othersGoOn();
    interruptsEndWaits(refs);
    timeoutsEndWaits(refs);
    Files.createFile(Path.of(args[1]));
    check(done.await(100, TimeUnit.SECONDS), done.getCount() + " threads still wait");
    check(sum.get() == 3 * THREADS, "sum " + sum);
  }
  System.out.println("all done");
}

private static void othersGoOn() throws InterruptedException {
  List<Thread> others = new ArrayList<>();
  AtomicInteger turns = new AtomicInteger();
  for (int i = 0; i < 50; ++i) {
    others.add(Thread.startVirtualThread(() -> {
      for (int turn = 0; turn < 100; ++turn) {
        turns.incrementAndGet();
        Thread.yield();
      }
    }));
  }
  for (Thread other : others) {
    check(other.join(Duration.ofSeconds(60)), "another virtual thread does not go on");
  }
  check(turns.get() == 5000, "turns " + turns);
}

private static void interruptsEndWaits(List<ObjectRef<Integer>> refs) throws InterruptedException {
  for (int way = 0; way < 4; ++way) {
    int chosen = way;
    AtomicInteger interrupted = new AtomicInteger();
    Thread thread = Thread.startVirtualThread(() -> {
      try {
        waitSomehow(chosen, refs);
      } catch (WaitInterruptedException expected) {
        interrupted.incrementAndGet();
      }
    });
    thread.interrupt();
    check(thread.join(Duration.ofSeconds(60)) && interrupted.get() == 1, "the interrupted wait " + way);
  }
}

private static void timeoutsEndWaits(List<ObjectRef<Integer>> refs) throws InterruptedException {
  Thread thread = Thread.startVirtualThread(() -> {
    check(Sabir.wait(refs, 1, Duration.ofMillis(20)).ready().isEmpty(), "something is ready");
    try {
      Sabir.get(refs, Duration.ofMillis(20));
      check(false, "no timeout");
    } catch (org.sabir.GetTimeoutException expected) {
      System.out.println("timed out");
    }
  });
  check(thread.join(Duration.ofSeconds(60)), "a wait with a timeout");
}
}

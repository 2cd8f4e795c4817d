import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;

/** Tasks that share a JVM: what they have in common is static. */
public class Slots {
  private static CountDownLatch meeting;

  private static synchronized CountDownLatch meeting(int count) {
    meeting = meeting == null ? new CountDownLatch(count) : meeting;
    return meeting;
  }

  /** Returns when so many tasks are in this method of this JVM. */
  public static long meet(int count) throws InterruptedException {
    meeting(count).countDown();
    meeting(count).await();
    return pid();
  }

  public static long pid() {
    return ProcessHandle.current().pid();
  }

  private static final Semaphore WAITING = new Semaphore(0);

  public static void waitForever() throws InterruptedException {
    WAITING.release();
    Thread.sleep(Long.MAX_VALUE);
  }

  /** When so many others wait for ever in this JVM. */
  public static void crash(int waiting) throws InterruptedException {
    WAITING.acquire(waiting);
    Runtime.getRuntime().halt(7);
  }
}

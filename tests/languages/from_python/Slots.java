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

  public static void arrive() {
    WAITING.release();
  }

  public static void awaitArrivals(int count) throws InterruptedException {
    WAITING.acquire(count);
  }

  private static final CountDownLatch GATE = new CountDownLatch(1);

  public static void awaitGate() throws InterruptedException {
    GATE.await();
  }

  public static void openGate() {
    GATE.countDown();
  }

  public static void waitForever() throws InterruptedException {
    arrive();
    Thread.sleep(Long.MAX_VALUE);
  }

  /** When so many others wait for ever in this JVM. */
  public static void crash(int waiting) throws InterruptedException {
    awaitArrivals(waiting);
    Runtime.getRuntime().halt(7);
  }
}

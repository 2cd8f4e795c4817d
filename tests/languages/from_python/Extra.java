import java.io.Serializable;
import java.util.List;
import org.sabir.ObjectRef;

/** Is only on the code path of a task's runtime environment. */
public class Extra {
  record Pid(long number) implements Serializable {}

  public static Pid produce() throws InterruptedException {
    Slots.arrive();
    Slots.awaitGate();
    return new Pid(Slots.pid());
  }

  /** A thread of the common pool reads the future's value, whose class only this task finds. */
  public static long read(List<ObjectRef<Pid>> refs) throws Exception {
    var future = refs.get(0).toCompletableFuture();
    Slots.arrive();
    return future.get().number();
  }
}

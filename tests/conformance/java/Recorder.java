package conformance;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.sabir.ActorHandle;
import org.sabir.ObjectRef;
import org.sabir.Sabir;
import org.sabir.Tensor;

/** The actor of this suite in Java; see Callee. */
public final class Recorder {
  private int value;
  private final List<Integer> amounts = new ArrayList<>();
  private List<ObjectRef<Integer>> kept = List.of();
  private List<ActorHandle<Object>> friends = List.of();
  private final List<ByteBuffer> held = new ArrayList<>();

  public Recorder(int start) {
    if (start < 0) {
      throw new IllegalArgumentException("a recorder below zero");
    }
    value = start;
  }

  public int add(int amount) {
    amounts.add(amount);
    value += amount;
    return value;
  }

  public List<Integer> history() {
    return amounts;
  }

  public void fail(String message) {
    throw new IllegalArgumentException(message);
  }

  public int sleep(int milliseconds) throws InterruptedException {
    return Callee.sleep(milliseconds);
  }

  public void die(String how) throws IOException, InterruptedException {
    Callee.die(how);
  }

  public int mortal(int attempts) throws IOException, InterruptedException {
    return Callee.mortal(attempts);
  }

  public int pid() {
    return Callee.pid();
  }

  public void keep(List<ObjectRef<Integer>> refs) {
    kept = refs;
  }

  public int total() {
    return Callee.gather(kept);
  }

  public List<ObjectRef<Integer>> lend() {
    return kept;
  }

  public int hold(Tensor tensor) {
    held.add(tensor.buffer().slice(64, 64));
    return held.size();
  }

  public void drop() {
    held.clear();
  }

  public void befriend(List<ActorHandle<Object>> handles) {
    friends = handles;
  }

  public int forward(int amount) {
    return Callee.nudge_all(friends, amount);
  }

  public void leave() {
    Sabir.exitActor();
  }
}

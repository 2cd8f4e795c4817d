package org.sabir.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.sabir.ActorHandle;
import org.sabir.ObjectRef;
import org.sabir.Sabir;
import org.sabir.Tensor;

/** Buffers hold objects in the store until no slice is left; when the store is full, JVMs are asked to collect. */
final class StorePressureTest {
  private static final int DOUBLES = 8 << 20;
  private static final long OBJECT_BYTES = 64L << 20;
  private static final long STORE_BYTES = 512L << 20; // of Sessions
  private static final long SMALL_BYTES = 8L << 20; // others' objects

  /** Holds a slice, in another process. */
  static final class Keeper {
    private ByteBuffer slice;

    void keep(Tensor tensor) {
      slice = tensor.buffer().slice(800, 80).order(ByteOrder.LITTLE_ENDIAN);
    }

    double read() {
      System.gc();
      return slice.getDouble(0);
    }

    void drop() {
      slice = null;
    }
  }

  @BeforeAll
  static void session() {
    Sessions.shared();
  }

  private static long usedBytes() {
    Matcher used = Pattern.compile("\"(?:used_bytes|used)\"\\s*:\\s*(\\d+)").matcher(Sabir.status());
    assertTrue(used.find(), Sabir.status());
    return Long.parseLong(used.group(1));
  }

  /** What earlier tests left. */
  private static void emptyStore() throws InterruptedException {
    for (int i = 0; usedBytes() > SMALL_BYTES; ++i) {
      assertTrue(i < 500, "left in the store: " + usedBytes());
      System.gc();
      Sabir.task(StorePressureTest::collect).remote().get();
      Thread.sleep(10);
    }
  }

  static int collect() {
    System.gc();
    return 0;
  }

  private static ObjectRef<Tensor> large() {
    return Sabir.put(Functions.ones(DOUBLES));
  }

  @Test
  void aDriversGarbageGivesWay() throws Exception {
    emptyStore();
    // Several stores full, and nobody here collects.
    for (int i = 0; i < 3 * STORE_BYTES / OBJECT_BYTES; ++i) {
      ByteBuffer slice = large().get().buffer().slice(8 * i, 8).order(ByteOrder.LITTLE_ENDIAN);
      assertEquals(1.0, slice.getDouble(0));
    }
    assertTrue(usedBytes() <= STORE_BYTES);
  }

  @Test
  void aWorkersGarbageIsGivenBackBeforeTheStoreIsFull() throws Exception {
    emptyStore();
    for (int i = 0; i < 3 * STORE_BYTES / OBJECT_BYTES; ++i) {
      assertEquals(1.0, Sabir.task(StorePressureTest::first, large()).remote().get());
      System.gc(); // here: what is left is the worker's
      assertTrue(usedBytes() <= 5 * OBJECT_BYTES + SMALL_BYTES, "after " + i + ": " + usedBytes());
    }
  }

  static double first(Tensor tensor) {
    return tensor.getDouble(0);
  }

  @Test
  void aWorkersSliceHoldsItsObjectAndGivesWay() throws Exception {
    emptyStore();
    ActorHandle<Keeper> keeper = Sabir.actor(Keeper::new).remote();
    keeper.action(Keeper::keep, large()).remote().get();
    List<ObjectRef<Tensor>> live = new ArrayList<>();
    long fitting = STORE_BYTES / OBJECT_BYTES - 1;
    while (live.size() < fitting - 1) {
      live.add(large());
    }
    for (int i = 0; i < 5; ++i) {
      assertEquals(1.0, keeper.task(Keeper::read).remote().get());
      System.gc();
      Thread.sleep(20);
    }
    long full = fitting * OBJECT_BYTES;
    assertTrue(usedBytes() >= full, "the slice does not hold its object: " + usedBytes());
    keeper.action(Keeper::drop).remote().get();
    // No room for it, but for what lies in the actor's garbage.
    live.add(large());
    assertTrue(usedBytes() < full + SMALL_BYTES, "used " + usedBytes());
    for (ObjectRef<Tensor> ref : live) {
      assertEquals(1.0, ref.get().getDouble(DOUBLES - 1));
    }
    keeper.action(Keeper::drop).remote().get();
  }
}

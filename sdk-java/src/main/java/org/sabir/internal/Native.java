package org.sabir.internal;

import java.nio.ByteBuffer;

/** The native half, sdk-java/native: one method for each thing that the C interface does. Pointers are longs. */
final class Native {
  /** Results of waits that are no exceptions. */
  static final int TIMEOUT = Integer.MIN_VALUE;

  static final int INTERRUPTED = Integer.MIN_VALUE + 1;

  /** Results of {@link #nextWork} that are no calls. */
  static final int AGAIN = Integer.MIN_VALUE;

  static final int END = Integer.MIN_VALUE + 1;

  static {
    NativeLibrary.load();
  }

  private Native() {}

  static native long startDriver(byte[][] texts, byte[][] resourceNames, double[] amounts, long storeBytes,
      boolean logToDriver, long timeoutNs, int[] languages, int[] modes, int[] slots, byte[][][] commands);

  static native long startWorker();

  static native long adoptRef(long client, long ref);

  static native long adoptActor(long client, long actor);

  static native void shutdown(long client);

  static native void destroyClient(long client);

  static native byte[][] clientInfo(long client);

  static native byte[] sessionStatus(long client);

  static native long exportFunction(long client, int kind, int language, byte[] name, byte[] code);

  static native void releaseFunction(long function);

  static native byte[][] getFunction(long client, int index, long[] kind);

  static native long prepareTask(long client, long function, byte[][] resourceNames, double[] amounts, int numReturns,
      int maxRetries, boolean retryExceptions, byte[] name, byte[][] scheduling);

  static native byte[] infeasible(long task);

  static native void releaseTask(long task);

  static native long submitTask(long task, int argCount, byte[] bytes, int byteCount, long[] words, int wordCount);

  static native long[] submitTaskMany(
      long task, int numReturns, int argCount, byte[] bytes, int byteCount, long[] words, int wordCount);

  static native long createActor(long client, long function, byte[][] resourceNames, double[] amounts, long[] numbers,
      byte[][] texts, int argCount, byte[] bytes, int byteCount, long[] words, int wordCount);

  /** The bundles one after the other: so many names and amounts of each, so many pairs of a label and a condition. */
  static native byte[] createGroup(long client, int strategy, int[] resourceCounts, byte[][] names, double[] amounts,
      int[] labelCounts, byte[][] labels, byte[] name, byte[] namespace, boolean detached);

  static native long groupReady(long client, byte[] group, byte[] bytes, int byteCount, long[] words, int wordCount);

  static native void removeGroup(long client, byte[] group);

  static native byte[] findGroups(long client, byte[] group, byte[] name, byte[] namespace);

  static native byte[] currentGroup(long client);

  static native long lookupActor(long client, byte[] name, byte[] namespace);

  static native long submitMethod(
      long actor, long method, int argCount, byte[] bytes, int byteCount, long[] words, int wordCount);

  static native long[] submitMethodMany(
      long actor, long method, int numReturns, int argCount, byte[] bytes, int byteCount, long[] words, int wordCount);

  static native void killActor(long actor, boolean noRestart);

  static native byte[][] actorInfo(long actor, long[] language);

  static native void releaseActor(long actor);

  /** Of a primitive array; {@code type} is the JVM's letter for its items (J, D, I, F, S, B, Z). */
  static native long putArray(long client, long timeoutNs, byte[] head, Object array, char type, int itemBytes);

  static native long put(long client, long timeoutNs, byte[] bytes, int byteCount, long[] words, int wordCount);

  static native int get(long client, long ref, long timeoutNs, long waiter, long[] words, byte[] room);

  static native int getAll(long client, long[] refs, long timeoutNs, long waiter);

  static native int view(long ref, long[] words, byte[] room);

  static native int waitFor(long client, long[] refs, int numReady, long timeoutNs, long waiter, byte[] ready);

  static native boolean isReady(long ref);

  static native byte[] refId(long ref);

  static native long retainRef(long ref);

  static native void releaseRef(long ref);

  static native long refAsActor(long ref);

  static native long addressOf(ByteBuffer direct);

  static native ByteBuffer bufferAt(long address, int size);

  static native void copy(long address, byte[] into);

  static native long tableFromStream(long stream);

  static native long tableFromView(long address, long size, long ref);

  static native void tableStream(long table, long stream);

  static native long[] tableParts(long table);

  static native long[] tableInfo(long table);

  static native void destroyTable(long table);

  static native long createWaiter();

  static native void interrupt(long waiter);

  static native void destroyWaiter(long waiter);

  static native long createQueue(long client);

  static native void destroyQueue(long queue);

  static native void watch(long ref, long queue, long tag);

  static native int nextTags(long queue, long[] tags);

  static native int nextNotice(long client, byte[][] texts, long[] numbers);

  static native int nextWork(long client, long[] words, byte[] room);

  static native int describeWork(long work, long[] words, byte[] room);

  static native void finishWork(long work, int count, byte[] bytes, int byteCount, long[] words, int wordCount);

  static native void failWork(long work, int kind, boolean retryable, byte[][] fields);

  static native void exitWorker(long client);
}

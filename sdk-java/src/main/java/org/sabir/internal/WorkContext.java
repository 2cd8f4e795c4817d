package org.sabir.internal;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** The call that a thread of a worker runs. */
record WorkContext(String taskId, int attempt, List<Integer> gpuIds) {
  private static final WorkContext NONE = new WorkContext("", 0, List.of());
  private static final ThreadLocal<Call> CURRENT = new ThreadLocal<>();

  /** Kept as it came; texts are made when somebody asks. */
  record Call(long idLow, long idHigh, int attempt, long gpuMask) {}

  static void begin(Call call) {
    CURRENT.set(call);
  }

  static void end() {
    CURRENT.remove();
  }

  static WorkContext current() {
    Call call = CURRENT.get();
    if (call == null) {
      return NONE;
    }
    byte[] id = new byte[16];
    ByteBuffer.wrap(id).order(ByteOrder.nativeOrder()).putLong(call.idLow).putLong(call.idHigh);
    List<Integer> gpus = new ArrayList<>();
    for (int i = 0; i < 64; ++i) {
      if ((call.gpuMask >> i & 1) != 0) {
        gpus.add(i);
      }
    }
    return new WorkContext(HexFormat.of().formatHex(id), call.attempt, List.copyOf(gpus));
  }
}

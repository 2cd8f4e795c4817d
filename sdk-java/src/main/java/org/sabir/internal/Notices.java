package org.sabir.internal;

import java.io.PrintStream;

/** What the node has to say to this process: a full store has the garbage collected; drivers print workers' output. */
final class Notices {
  private static final int LOG = 3;
  private static final int COLLECT = 4;
  private static final int WARNING = 6;

  private Notices() {}

  /** Starts the thread; it ends with the session. */
  static void start(Client client) {
    Thread thread = new Thread(() -> run(client), "sabir-notices");
    thread.setDaemon(true);
    thread.start();
  }

  private static void run(Client client) {
    long entered;
    try {
      entered = client.enter();
    } catch (org.sabir.NotInitializedException closed) {
      return;
    }
    try {
      byte[][] texts = new byte[2][];
      long[] numbers = new long[3];
      for (int kind = 0; kind >= 0;) {
        kind = Native.nextNotice(entered, texts, numbers);
        if (kind == LOG) {
          print(Texts.ofUtf8(texts[0]), Texts.ofUtf8(texts[1]), numbers);
        } else if (kind == COLLECT) {
          System.gc(); // buffers over objects that nobody reads any more
        } else if (kind == WARNING) {
          System.err.println("sabir: " + Texts.ofUtf8(texts[0]));
        }
      }
    } finally {
      client.leave();
    }
  }

  private static void print(String task, String text, long[] numbers) {
    PrintStream out = numbers[1] == 2 ? System.err : System.out;
    String prefix = "(" + (task.isEmpty() ? "" : task + " ") + "pid=" + numbers[0] + ") ";
    StringBuilder lines = new StringBuilder();
    if (numbers[2] > 0) {
      lines.append(prefix).append("[").append(numbers[2]).append(" lines left out]\n");
    }
    for (String line : text.split("\n")) {
      lines.append(prefix).append(line).append('\n');
    }
    out.print(lines);
    out.flush();
  }
}

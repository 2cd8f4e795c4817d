package org.sabir.session;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.sabir.ActorHandle;
import org.sabir.ActorMethod;
import org.sabir.CppFunction;
import org.sabir.ObjectRef;
import org.sabir.Sabir;
import org.sabir.Tensor;

/** What the tests have executed elsewhere. */
final class Functions {
  private Functions() {}

  static final class Counter {
    private int count;

    Counter(int start) {
      if (start < 0) {
        throw new IllegalArgumentException("a counter below zero");
      }
      this.count = start;
    }

    static Counter create(int start, int step) {
      return new Counter(start + step);
    }

    int add(int by) {
      count += by;
      return count;
    }

    void reset() {
      count = 0;
    }

    int get() {
      return count;
    }

    long pid() {
      return ProcessHandle.current().pid();
    }

    void exit() {
      Sabir.exitActor();
    }

    void crash() {
      Runtime.getRuntime().halt(3);
    }
  }

  static int add(int a, int b) {
    return a + b;
  }

  static String greet(String name) {
    return "hello " + name;
  }

  static void nothing() {}

  /** A task that calls one in C++. */
  static double scaledByCpp(double number) {
    return Sabir.task(CppFunction.of("geo::scale", Double.class), number, 2).remote().get();
  }

  static double fill(ActorHandle<Object> tank) {
    return tank.task(ActorMethod.of("fill", Double.class), 2).remote().get();
  }

  static int ten(int a, int b, int c, int d, int e, int f, int g, int h, int i, int j) {
    return a + b + c + d + e + f + g + h + i + j;
  }

  static <T> T same(T value) {
    return value;
  }

  static int sum(List<Integer> numbers) {
    int sum = 0;
    for (int number : numbers) {
      sum += number;
    }
    return sum;
  }

  static Map<String, List<Integer>> table(int rows) {
    List<Integer> column = new ArrayList<>();
    for (int i = 0; i < rows; ++i) {
      column.add(i);
    }
    return Map.of("column", column);
  }

  static int sumOfRefs(Map<String, ObjectRef<Integer>> refs) {
    int sum = 0;
    for (ObjectRef<Integer> ref : refs.values()) {
      sum += ref.get();
    }
    return sum;
  }

  static int callActor(ActorHandle<Counter> counter, int by) {
    return counter.task(Counter::add, by).remote().get();
  }

  static int fibonacci(int n) {
    if (n < 2) {
      return n;
    }
    ObjectRef<Integer> one = Sabir.task(Functions::fibonacci, n - 1).remote();
    ObjectRef<Integer> two = Sabir.task(Functions::fibonacci, n - 2).remote();
    return one.get() + two.get();
  }

  static double total(Tensor tensor) {
    ByteBuffer data = tensor.buffer();
    double total = 0;
    while (data.hasRemaining()) {
      total += data.getDouble();
    }
    return total;
  }

  static Tensor ones(int count) {
    ByteBuffer data = Tensor.allocate(org.sabir.DType.FLOAT64, count);
    for (int i = 0; i < count; ++i) {
      data.putDouble(1);
    }
    return Tensor.of(org.sabir.DType.FLOAT64, data.flip(), count);
  }

  static int sleep(int millis) throws InterruptedException {
    Thread.sleep(millis);
    return millis;
  }

  static List<Object> three(String text) {
    return List.of(text, 2, List.of());
  }

  static String who() {
    return Sabir.context().jobId() + " " + Sabir.context().taskId().length();
  }
}

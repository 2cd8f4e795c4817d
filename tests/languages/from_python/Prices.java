import java.util.List;
import java.util.Map;
import org.sabir.ObjectRef;
import org.sabir.PyFunction;
import org.sabir.Sabir;
import org.sabir.Tensor;

/** Java code for the tests: static methods, and an actor. */
public class Prices {
  private long count;

  public Prices(long start) {
    count = start;
  }

  public long add(long amount) {
    return count += amount;
  }

  public long fail() {
    throw new IllegalStateException("the count is " + count);
  }

  public static long sum(long a, long b) {
    return a + b;
  }

  public static String sum(String a, String b) {
    return a + b;
  }

  public static Object echo(Object value) {
    return value;
  }

  public static double total(Tensor tensor) {
    var items = tensor.buffer().asDoubleBuffer();
    double sum = 0;
    while (items.hasRemaining()) {
      sum += items.get();
    }
    return sum;
  }

  public static long followed(List<ObjectRef<Long>> refs) {
    return refs.stream().mapToLong(ObjectRef::get).sum();
  }

  public static long parse(String text) {
    return Long.parseLong(text);
  }

  public static Object types(Map<String, Object> values) {
    return values.entrySet()
        .stream()
        .map(entry
            -> entry.getKey() + ":" + (entry.getValue() == null ? "null" : entry.getValue().getClass().getSimpleName()))
        .toList();
  }

  /** Calls back into Python, whose error passes through. */
  public static Object throughPython(String text) {
    return Sabir.task(PyFunction.of("functions", "fail"), text).remote().get();
  }
}

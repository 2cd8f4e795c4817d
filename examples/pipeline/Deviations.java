import java.nio.DoubleBuffer;
import org.sabir.Tensor;

/** The Java stage: the standard deviation of each column, read where the matrix lies. */
public final class Deviations {
  private Deviations() {}

  public static double[] ofColumns(Tensor matrix, double[] means) {
    DoubleBuffer items = matrix.buffer().asDoubleBuffer();
    double[] deviations = new double[means.length];
    while (items.hasRemaining()) {
      for (int column = 0; column < means.length; ++column) {
        double distance = items.get() - means[column];
        deviations[column] += distance * distance;
      }
    }
    for (int column = 0; column < means.length; ++column) {
      deviations[column] = Math.sqrt(deviations[column] / matrix.shape()[0]);
    }
    return deviations;
  }
}

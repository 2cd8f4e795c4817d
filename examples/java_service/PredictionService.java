import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.sabir.ActorHandle;
import org.sabir.ActorMethod;
import org.sabir.GetTimeoutException;
import org.sabir.ObjectRef;
import org.sabir.PyActorClass;
import org.sabir.Sabir;
import org.sabir.SabirException;
import org.sabir.SabirOptions;
import org.sabir.Session;
import org.sabir.TaskException;
import org.sabir.Tensor;

/**
 * A web service in Java whose model is an actor in Python. It answers GET /predict?x=1,2,3 on a port of this machine
 * until its input ends; the rows of a request (x=1,2,3;4,5,6) travel as one tensor.
 *
 *     javac -cp sabir-java.jar -d out PredictionService.java
 *     java -cp sabir-java.jar:out PredictionService python3 FOLDER_OF_MODEL_PY
 */
public final class PredictionService {
  private static final ActorMethod<Tensor> PREDICT = ActorMethod.of("predict", Tensor.class);
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final ActorHandle<Object> model;

  private PredictionService(ActorHandle<Object> model) {
    this.model = model;
  }

  public static void main(String[] args) throws Exception {
    SabirOptions options = SabirOptions.builder().address("local").python(args[0]).codeSearchPath(args[1]).build();
    try (Session session = Sabir.init(options)) {
      // Should its process die it is made again, and calls that were under way are repeated.
      ActorHandle<Object> model =
          Sabir.actor(PyActorClass.of("model", "Model"), 10_000).maxRestarts(3).maxTaskRetries(1).remote();
      PredictionService service = new PredictionService(model);
      HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
      ExecutorService threads = Executors.newFixedThreadPool(8);
      server.setExecutor(threads);
      server.createContext("/predict", service::answer);
      server.start();
      System.out.println("http://127.0.0.1:" + server.getAddress().getPort() + "/predict?x=1,2,3");
      while (System.in.read() >= 0) {
        // until it ends
      }
      server.stop(1);
      threads.shutdown();
    }
  }

  private void answer(HttpExchange exchange) throws IOException {
    int status = 200;
    String text;
    try {
      ObjectRef<Tensor> predictions = model.task(PREDICT, rows(exchange.getRequestURI().getQuery())).remote();
      text = numbers(predictions.get(PATIENCE));
    } catch (IllegalArgumentException wrong) {
      status = 400;
      text = wrong.getMessage();
    } catch (TaskException ofTheModel) {
      status = 400;
      text = ofTheModel.remoteType() + ": " + ofTheModel.remoteMessage();
    } catch (GetTimeoutException slow) {
      status = 504;
      text = "the model took too long";
    } catch (SabirException other) {
      status = 503;
      text = other.getMessage();
    }
    byte[] body = (text + "\n").getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, body.length);
    exchange.getResponseBody().write(body);
    exchange.close();
  }

  private static Tensor rows(String query) {
    if (query == null || !query.startsWith("x=")) {
      throw new IllegalArgumentException("ask for /predict?x=1,2,3");
    }
    String[] rows = query.substring(2).split(";");
    double[][] numbers = new double[rows.length][];
    for (int i = 0; i < rows.length; ++i) {
      numbers[i] = Arrays.stream(rows[i].split(",")).mapToDouble(Double::parseDouble).toArray();
      if (numbers[i].length != numbers[0].length) {
        throw new IllegalArgumentException("row " + i + " has another length than the first one");
      }
    }
    double[] all = Arrays.stream(numbers).flatMapToDouble(Arrays::stream).toArray();
    return Tensor.of(all, rows.length, numbers[0].length);
  }

  private static String numbers(Tensor predictions) {
    StringBuilder text = new StringBuilder();
    for (double number : predictions.toArray(double[].class)) {
      text.append(text.isEmpty() ? "" : ";").append(String.format(Locale.ROOT, "%.2f", number));
    }
    return text.toString();
  }
}

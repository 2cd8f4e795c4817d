import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.arrow.c.ArrowArrayStream;
import org.apache.arrow.c.Data;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.VectorUnloader;
import org.apache.arrow.vector.ipc.ArrowReader;
import org.apache.arrow.vector.types.pojo.Schema;
import org.sabir.Table;

/** Tables in Java for the tests: read and made by arrow-java. */
public class Columns {
  private static final BufferAllocator ALLOCATOR = new RootAllocator();

  private interface Reading<T> {
    T of(ArrowReader reader) throws IOException;
  }

  private static <T> T read(Table table, Reading<T> reading) throws IOException {
    try (ArrowArrayStream stream = ArrowArrayStream.allocateNew(ALLOCATOR)) {
      table.toStream(stream.memoryAddress());
      try (ArrowReader reader = Data.importArrayStream(ALLOCATOR, stream)) {
        return reading.of(reader);
      }
    }
  }

  private static Table write(ArrowReader reader) {
    try (ArrowArrayStream stream = ArrowArrayStream.allocateNew(ALLOCATOR)) {
      Data.exportArrayStream(ALLOCATOR, reader, stream);
      return Table.ofStream(stream.memoryAddress());
    }
  }

  /** Through vectors of arrow-java and out again. */
  public static Table throughArrow(Table table) throws IOException {
    ArrowArrayStream stream = ArrowArrayStream.allocateNew(ALLOCATOR);
    table.toStream(stream.memoryAddress());
    return write(Data.importArrayStream(ALLOCATOR, stream));
  }

  /** The sum of the first column. */
  public static long sum(Table table) throws IOException {
    return read(table, reader -> {
      long sum = 0;
      while (reader.loadNextBatch()) {
        BigIntVector column = (BigIntVector) reader.getVectorSchemaRoot().getVector(0);
        for (int i = 0; i < column.getValueCount(); ++i) {
          sum += column.isNull(i) ? 0 : column.get(i);
        }
      }
      return sum;
    });
  }

  /** The mapping in which the first column lies. */
  public static String where(Table table) throws IOException {
    return read(table, reader -> {
      reader.loadNextBatch();
      return mappingOf(reader.getVectorSchemaRoot().getVector(0).getDataBuffer().memoryAddress());
    });
  }

  /** A table of one column, "n", made by arrow-java: 0 to count. */
  public static Table numbers(int count) {
    BigIntVector column = new BigIntVector("n", ALLOCATOR);
    column.allocateNew(count);
    for (int i = 0; i < count; ++i) {
      column.set(i, i);
    }
    column.setValueCount(count);
    return write(new OneBatch(new VectorSchemaRoot(List.of(column))));
  }

  public static Object inAList(Table table) {
    return List.of(table);
  }

  public static String text(Table table) {
    return table.toString() + " " + table.batches();
  }

  private static String mappingOf(long address) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/maps"))) {
      String[] range = line.split("[- ]", 3);
      if (address >= Long.parseUnsignedLong(range[0], 16) && address < Long.parseUnsignedLong(range[1], 16)) {
        return line.indexOf('/') < 0 ? "" : line.substring(line.indexOf('/'));
      }
    }
    return "";
  }

  private static final class OneBatch extends ArrowReader {
    private final VectorSchemaRoot batch;
    private boolean given;

    OneBatch(VectorSchemaRoot batch) {
      super(ALLOCATOR);
      this.batch = batch;
    }

    @Override
    public boolean loadNextBatch() throws IOException {
      if (given) {
        return false;
      }
      given = true;
      prepareLoadNextBatch();
      try (var records = new VectorUnloader(batch).getRecordBatch()) {
        loadRecordBatch(records);
      }
      return true;
    }

    @Override
    public long bytesRead() {
      return 0;
    }

    @Override
    protected void closeReadSource() {
      batch.close();
    }

    @Override
    protected Schema readSchema() {
      return batch.getSchema();
    }
  }
}

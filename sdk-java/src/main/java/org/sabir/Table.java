package org.sabir;

import org.sabir.internal.Tables;

/**
 * Columns of data in the layouts of Apache Arrow, which every language reads: pyarrow and polars in Python. It is made
 * of a stream of the Arrow C data interface and gives out such streams, by their addresses, so that arrow-java reads
 * and writes it without a copy:
 *
 * <pre>{@code
 * try (ArrowArrayStream stream = ArrowArrayStream.allocateNew(allocator)) {
 *   table.toStream(stream.memoryAddress());
 *   try (ArrowReader reader = Data.importArrayStream(allocator, stream)) { ... }
 * }
 * }</pre>
 *
 * <p>A table is a whole argument, result or object; it does not change, and any thread may use it.
 */
public final class Table {
  private final Tables tables;

  /** For the codec. */
  public Table(Tables tables) {
    this.tables = tables;
  }

  /**
   * Takes over the {@code ArrowArrayStream} at the address, also when this fails, and reads it to its end. Its buffers
   * stay where they are, and are released when nothing uses the table any more.
   *
   * @throws InvalidArgumentException if the stream fails, or is not as the Arrow C data interface says
   */
  public static Table ofStream(long address) {
    return new Table(Tables.ofStream(checked(address)));
  }

  /**
   * Fills the {@code ArrowArrayStream} at the address, which holds nothing, with a new stream over all batches. Whoever
   * has it releases it; it may outlive the table.
   */
  public void toStream(long address) {
    tables.toStream(checked(address));
  }

  private static long checked(long address) {
    if (address == 0) {
      throw new InvalidArgumentException("an ArrowArrayStream has an address, which is not 0");
    }
    return address;
  }

  /** Rows of all batches. */
  public long rows() {
    return tables.info()[0];
  }

  public long columns() {
    return tables.info()[1];
  }

  /** Batches of rows. */
  public long batches() {
    return tables.info()[2];
  }

  /** For the codec. */
  public Tables tables() {
    return tables;
  }

  @Override
  public String toString() {
    return "Table(" + rows() + " rows, " + columns() + " columns)";
  }
}

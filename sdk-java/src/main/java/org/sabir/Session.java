package org.sabir;

import org.sabir.internal.Client;

/** What init() returns: closing it is Sabir.shutdown(). */
public final class Session implements AutoCloseable {
  private final Client client;

  Session(Client client) {
    this.client = client;
  }

  /** The folder of the session: what other drivers join it by. */
  public String path() {
    return client.info().sessionPath();
  }

  public String jobId() {
    return client.info().jobId();
  }

  public String nodeId() {
    return client.info().nodeId();
  }

  /** Of the names of this job's actors. */
  public String namespace() {
    return client.info().namespace();
  }

  @Override
  public void close() {
    org.sabir.internal.Runtimes.stop(client);
  }
}

package org.sabir.internal;

/** Who this process is in its session. Ids are hexadecimal. */
public record SessionInfo(String sessionPath, String jobId, String nodeId, String processId, String namespace,
    String jobConfig, String actorId) {
  static SessionInfo of(byte[][] fields) {
    return new SessionInfo(Texts.ofUtf8(fields[0]), Texts.ofUtf8(fields[1]), Texts.ofUtf8(fields[2]),
        Texts.ofUtf8(fields[3]), Texts.ofUtf8(fields[4]), Texts.ofUtf8(fields[5]), Texts.ofUtf8(fields[6]));
  }
}

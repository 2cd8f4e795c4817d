package org.sabir.worker;

import java.util.List;
import org.sabir.internal.Json;
import org.sabir.internal.Launch;

/** Prints, as a JSON list, the command that starts a worker: for drivers in other languages. Arguments: JVM options. */
public final class LaunchCommand {
  private LaunchCommand() {}

  public static void main(String[] args) {
    System.out.println(Json.write(Launch.workerCommand(List.of(args))));
  }
}

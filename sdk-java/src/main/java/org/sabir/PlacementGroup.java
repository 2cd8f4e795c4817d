package org.sabir;

import java.io.Serializable;
import java.time.Duration;
import java.util.Objects;
import org.sabir.internal.Groups;

/**
 * A handle of a placement group: bundles of resources, reserved on nodes together or not at all. It may be passed to
 * tasks and actors. Made by {@link PlacementGroups#create}.
 */
public final class PlacementGroup implements Serializable {
  private static final long serialVersionUID = 1L;

  private final String id;

  /**
   * Of a group that exists.
   *
   * @param id 32 hexadecimal digits, as another handle, in any language, has them
   */
  public PlacementGroup(String id) {
    this.id = Objects.requireNonNull(id);
  }

  /** 32 hexadecimal digits. */
  public String id() {
    return id;
  }

  /**
   * A reference that has this handle as its value as soon as all bundles are reserved. {@link GroupRemovedException}
   * if that can never be.
   */
  public ObjectRef<PlacementGroup> ready() {
    return Groups.ready(this);
  }

  /** Waits until all bundles are reserved. False: they are not in this time, or never will be. */
  public boolean waitReady(Duration timeout) {
    try {
      ready().get(timeout);
      return true;
    } catch (GetTimeoutException | GroupRemovedException e) {
      return false;
    }
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof PlacementGroup that && id.equals(that.id);
  }

  @Override
  public int hashCode() {
    return id.hashCode();
  }

  @Override
  public String toString() {
    return "PlacementGroup(" + id + ")";
  }
}

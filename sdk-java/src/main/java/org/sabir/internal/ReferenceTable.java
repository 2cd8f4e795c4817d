package org.sabir.internal;

import org.sabir.ActorHandle;
import org.sabir.ObjectRef;

/** The references that came with a value. */
public interface ReferenceTable {
  /** None. */
  ReferenceTable EMPTY = new ReferenceTable() {
    @Override
    public int size() {
      return 0;
    }

    @Override
    public ObjectRef<?> object(int index) {
      throw new IndexOutOfBoundsException(index);
    }

    @Override
    public ActorHandle<?> actor(int index) {
      throw new IndexOutOfBoundsException(index);
    }
  };

  int size();

  ObjectRef<?> object(int index);

  /** The reference as an actor's handle; SabirException if it is none. */
  ActorHandle<?> actor(int index);
}

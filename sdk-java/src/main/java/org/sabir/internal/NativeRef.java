package org.sabir.internal;

import java.lang.reflect.Type;
import org.sabir.ObjectRef;

interface NativeRef<T> extends ObjectRef<T> {
  ObjectRef<?> asType(Type type);
}

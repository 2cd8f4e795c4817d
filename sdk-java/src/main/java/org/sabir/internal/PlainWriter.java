package org.sabir.internal;

import java.math.BigInteger;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.sabir.ActorHandle;
import org.sabir.ObjectRef;
import org.sabir.Tensor;

/**
 * Writes a value as what every language reads. What cannot be written so is left to Java's own form: then {@link
 * #write} returns false and {@link #reason} says what it was.
 */
final class PlainWriter {
  private static final BigInteger UINT64_MAX = BigInteger.ONE.shiftLeft(64).subtract(BigInteger.ONE);
  private static final long SECOND_NS = 1_000_000_000L;

  private final ByteSink out;
  private final List<Object> references;
  final List<Bytes> buffers = new ArrayList<>(0);
  private IdentityHashMap<Object, Boolean> met; // containers, once there is more than one
  private Object firstMet;
  private String reason = "";

  private final boolean forOthers;

  /**
   * Writes to the end of the sink.
   *
   * @param forOthers no reader in Java is expected: containers lose their types and their identity, an enum is its name
   */
  PlainWriter(ByteSink out, List<Object> references, boolean forOthers) {
    this.out = out;
    this.references = references;
    this.forOthers = forOthers;
  }

  /** What stood in the way, and where in the value. */
  String reason() {
    return reason;
  }

  boolean write(Object value) {
    return write(value, 0);
  }

  private boolean write(Object value, int depth) {
    if (value == null) {
      out.putByte(PlainTag.NULL);
    } else if (value instanceof String text) {
      return text(text);
    } else if (value instanceof Integer number) {
      integer(number);
    } else if (value instanceof Long number) {
      integer(number);
    } else if (value instanceof Double number) {
      out.putByte(PlainTag.FLOAT64);
      out.putLong(Double.doubleToRawLongBits(number));
    } else if (value instanceof Boolean truth) {
      out.putByte(truth ? PlainTag.TRUE : PlainTag.FALSE);
    } else if (value instanceof Float number) {
      out.putByte(PlainTag.FLOAT32);
      out.putInt(Float.floatToRawIntBits(number));
    } else if (value instanceof Short || value instanceof Byte) {
      integer(((Number) value).longValue());
    } else if (value instanceof BigInteger number && value.getClass() == BigInteger.class) {
      bigInteger(number);
    } else if (value instanceof Character character) {
      return text(character.toString());
    } else if (value instanceof byte[] bytes) {
      out.putByte(PlainTag.BYTES);
      out.putInt(bytes.length);
      out.putBytes(bytes);
    } else if (value instanceof List<?> list && isNeutral(list)) {
      return list(list, depth, PlainTag.LIST);
    } else if (value instanceof Map<?, ?> map && isNeutral(map)) {
      return map(map, depth);
    } else if (value instanceof ObjectRef) {
      reference(PlainTag.REFERENCE, value);
    } else if (value instanceof ActorHandle) {
      reference(PlainTag.ACTOR, value);
    } else if (value instanceof Instant instant) {
      return timestamp(instant.getEpochSecond(), instant.getNano(), PlainTag.NO_OFFSET);
    } else if (value instanceof OffsetDateTime time) {
      return timestamp(time.toEpochSecond(), time.getNano(), time.getOffset().getTotalSeconds());
    } else if (value instanceof Tensor tensor) {
      tensor(tensor);
    } else if (forOthers && value instanceof Enum<?> constant) {
      return text(constant.name());
    } else if (forOthers && value instanceof java.util.Collection<?> items) {
      return items(items.toArray(), items, depth, PlainTag.LIST);
    } else if (value instanceof Object[] array && !array.getClass().getComponentType().isEnum()) {
      return items(array, depth);
    } else if (TensorArrays.typeOf(value) != null) {
      tensor(arrayTensor(value));
    } else {
      Converters.Registered<?> converter = Converters.of(value.getClass());
      if (converter == null) {
        return unsuitable(value.getClass().getName());
      }
      return write(converter.toNeutral(value), depth + 1) || at("." + value.getClass().getSimpleName());
    }
    return true;
  }

  static Tensor arrayTensor(Object array) {
    return Tensor.of(TensorArrays.typeOf(array), TensorArrays.toBytes(array), java.lang.reflect.Array.getLength(array));
  }

  // Java's own containers read back as ArrayList and LinkedHashMap; other types keep theirs in Java's own form.
  private boolean isNeutral(Object container) {
    return forOthers || container.getClass().getName().startsWith("java.util.")
        || !(container instanceof java.io.Serializable);
  }

  private boolean unsuitable(String what) {
    reason = what;
    return false;
  }

  // The place in the value, from the inside outwards.
  private boolean at(String place) {
    reason = reason.startsWith("[") || reason.startsWith(".") ? place + reason : place + ": " + reason;
    return false;
  }

  private void integer(long number) {
    if (number == (byte) number) {
      out.putByte(PlainTag.INT8);
      out.putByte((byte) number);
    } else {
      out.putByte(PlainTag.INT64);
      out.putLong(number);
    }
  }

  private void bigInteger(BigInteger number) {
    if (number.bitLength() < 64) {
      integer(number.longValue());
    } else if (number.signum() > 0 && number.compareTo(UINT64_MAX) <= 0) {
      out.putByte(PlainTag.UINT64);
      out.putLong(number.longValue());
    } else {
      byte[] bigEndian = number.toByteArray();
      out.putByte(PlainTag.BIG_INTEGER);
      out.putInt(bigEndian.length);
      for (int i = bigEndian.length - 1; i >= 0; --i) {
        out.putByte(bigEndian[i]);
      }
    }
  }

  private boolean text(String text) {
    int before = out.size();
    out.putByte(PlainTag.TEXT);
    try {
      out.putText(text);
    } catch (IllegalArgumentException half) {
      out.truncate(before);
      return unsuitable("a String that is no text: " + half.getMessage());
    }
    return true;
  }

  private void reference(byte tag, Object reference) {
    out.putByte(tag);
    out.putInt(References.add(references, reference));
  }

  private boolean timestamp(long seconds, int nanos, int offset) {
    long total;
    try {
      total = Math.addExact(Math.multiplyExact(seconds, SECOND_NS), nanos);
    } catch (ArithmeticException overflow) {
      return unsuitable("a time farther than 292 years from 1970");
    }
    out.putByte(PlainTag.TIMESTAMP);
    out.putLong(total);
    out.putInt(offset);
    return true;
  }

  private void tensor(Tensor given) {
    Tensor tensor = given.isContiguous() || given.isFortranContiguous() ? given : given.contiguous();
    out.putByte(PlainTag.TENSOR);
    out.putByte(tensor.dtype().code());
    out.putByte(tensor.dimensions());
    out.putShort(0);
    out.putInt(buffers.size());
    for (long length : tensor.shape()) {
      out.putLong(length);
    }
    for (long stride : tensor.strides()) {
      out.putLong(stride);
    }
    buffers.add(tensor.bytes());
  }

  /** False if the container was met before in this value, or lies too deep. */
  private boolean enter(Object container, int depth, boolean isEmpty) {
    if (depth >= PlainTag.DEPTH_MAX) {
      return unsuitable("more than " + PlainTag.DEPTH_MAX + " containers within each other");
    }
    if (isEmpty) {
      return true; // List.of() is one object in all of the program
    }
    if (firstMet == null && met == null) {
      firstMet = container;
      return true;
    }
    if (met == null) {
      met = new IdentityHashMap<>();
      met.put(firstMet, true);
    }
    return met.put(container, true) == null
        || unsuitable(
            forOthers ? "a container that contains itself" : "a container that two places of the value share");
  }

  /** For readers in other languages it is only forbidden to contain oneself. */
  private void leave(Object container) {
    if (forOthers && container == firstMet) {
      firstMet = null;
    }
    if (forOthers && met != null) {
      met.remove(container);
    }
  }

  private boolean list(List<?> list, int depth, byte tag) {
    return items(list.toArray(), list, depth, tag);
  }

  private boolean items(Object[] array, int depth) {
    return items(array, array, depth, PlainTag.LIST);
  }

  private boolean items(Object[] items, Object container, int depth, byte tag) {
    if (!enter(container, depth, items.length == 0)) {
      return false;
    }
    out.putByte(tag);
    out.putInt(items.length);
    for (int i = 0; i < items.length; ++i) {
      if (!write(items[i], depth + 1)) {
        return at("[" + i + "]");
      }
    }
    leave(container);
    return true;
  }

  private boolean map(Map<?, ?> map, int depth) {
    if (!enter(map, depth, map.isEmpty())) {
      return false;
    }
    out.putByte(PlainTag.MAP);
    int countAt = out.size();
    out.putInt(0);
    int count = 0;
    for (Map.Entry<?, ?> entry : map.entrySet()) {
      if (!key(entry.getKey(), depth + 1)) {
        return at("[a key]");
      }
      if (!write(entry.getValue(), depth + 1)) {
        return at("[" + Texts.shortened(entry.getKey()) + "]");
      }
      ++count;
    }
    out.setInt(countAt, count);
    leave(map);
    return true;
  }

  private boolean key(Object key, int depth) {
    if (key instanceof List<?> list && isNeutral(list)) {
      return list(list, depth, PlainTag.TUPLE);
    }
    if (key instanceof Map || key instanceof Object[] || key instanceof Tensor || TensorArrays.typeOf(key) != null) {
      if (!(key instanceof byte[])) {
        return unsuitable("a key of type " + key.getClass().getSimpleName());
      }
    }
    return write(key, depth);
  }
}

package org.sabir.internal;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Writes maps of integers, texts, bytes and such maps as FlexBuffers: the form of error values. Everything is 8 wide.
 */
final class FlexMapWriter {
  private static final int WIDTH = 8;
  private static final int WIDTH_BITS = 3;
  private static final int INT = 1;
  private static final int STRING = 5;
  private static final int MAP = 9;
  private static final int BLOB = 25;

  private final ByteSink out = new ByteSink();

  private FlexMapWriter() {}

  /** Keys are ASCII without zeros; values Long, String (lone surrogates are replaced), byte[] or such a map. */
  static byte[] write(Map<String, Object> map) {
    FlexMapWriter writer = new FlexMapWriter();
    int root = writer.map(map);
    writer.out.putLong(writer.out.size() - root);
    writer.out.putByte(MAP << 2 | WIDTH_BITS);
    writer.out.putByte(WIDTH);
    return java.util.Arrays.copyOf(writer.out.bytes(), writer.out.size());
  }

  private int map(Map<String, Object> unsorted) {
    TreeMap<String, Object> map = new TreeMap<>(unsorted); // readers search by key
    List<Integer> keys = new ArrayList<>();
    List<Long> values = new ArrayList<>(); // the number itself, or where it lies
    List<Integer> types = new ArrayList<>();
    for (Map.Entry<String, Object> entry : map.entrySet()) {
      keys.add(out.size());
      out.putBytes(Texts.utf8(entry.getKey()));
      out.putByte(0);
      Object value = entry.getValue();
      if (value instanceof Long number) {
        values.add(number);
        types.add(INT);
      } else if (value instanceof String text) {
        values.add((long) sized(Texts.utf8(text), true));
        types.add(STRING);
      } else if (value instanceof byte[] bytes) {
        values.add((long) sized(bytes, false));
        types.add(BLOB);
      } else {
        values.add((long) nested(value));
        types.add(MAP);
      }
    }
    out.align(0, WIDTH);
    out.putLong(keys.size());
    int keysAt = out.size();
    for (int key : keys) {
      out.putLong(out.size() - key);
    }
    out.putLong(out.size() - keysAt);
    out.putLong(WIDTH);
    out.putLong(keys.size());
    int at = out.size();
    for (int i = 0; i < values.size(); ++i) {
      out.putLong(types.get(i) == INT ? values.get(i) : out.size() - values.get(i));
    }
    for (int type : types) {
      out.putByte(type << 2 | WIDTH_BITS);
    }
    out.align(0, WIDTH);
    return at;
  }

  @SuppressWarnings("unchecked")
  private int nested(Object value) {
    return map((Map<String, Object>) value);
  }

  private int sized(byte[] bytes, boolean terminated) {
    out.align(0, WIDTH);
    out.putLong(bytes.length);
    int at = out.size();
    out.putBytes(bytes);
    if (terminated) {
      out.putByte(0);
    }
    return at;
  }
}

package org.sabir.internal;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.sabir.SerializationException;

/**
 * Reads FlexBuffers, the form of neutral values that Python writes for single values, and of error values. An own
 * reader, because the bytes come from other processes and FlexBuffers' library for Java does not check them: offsets
 * may lead anywhere, and parts that are shared may grow a few bytes into gigabytes.
 */
final class FlexReader {
  private static final int DEPTH_MAX = 64;

  // Types of FlexBuffers.
  private static final int NULL = 0;
  private static final int INT = 1;
  private static final int UINT = 2;
  private static final int FLOAT = 3;
  private static final int KEY = 4;
  private static final int STRING = 5;
  private static final int INDIRECT_INT = 6;
  private static final int INDIRECT_UINT = 7;
  private static final int INDIRECT_FLOAT = 8;
  private static final int MAP = 9;
  private static final int VECTOR = 10;
  private static final int VECTOR_INT = 11;
  private static final int VECTOR_KEY = 14;
  private static final int VECTOR_STRING = 15;
  private static final int VECTOR_INT2 = 16;
  private static final int VECTOR_FLOAT4 = 24;
  private static final int BLOB = 25;
  private static final int BOOL = 26;
  private static final int VECTOR_BOOL = 36;

  private final ByteBuffer in;
  private final int size;
  private final Map<Integer, String> keys = new HashMap<>(); // keys are shared between maps
  private long budget; // bytes and items that may still be made; without sharing it is never used up

  private FlexReader(ByteBuffer in) {
    this.in = in;
    this.size = in.limit();
    this.budget = 8L * size + 64;
  }

  /** The value of a little-endian buffer that begins at 0. */
  static Object read(ByteBuffer in) {
    FlexReader reader = new FlexReader(in);
    if (reader.size < 3) {
      throw reader.malformed(0, "too short");
    }
    int width = in.get(reader.size - 1) & 0xff;
    int packed = in.get(reader.size - 2) & 0xff;
    reader.checkWidth(reader.size - 1, width);
    int root = reader.size - 2 - width;
    reader.need(root, width);
    return reader.value(root, width, packed, 0);
  }

  private SerializationException malformed(int at, String what) {
    return Malformed.value("neutral", at, what);
  }

  private void need(long at, long bytes) {
    if (at < 0 || bytes < 0 || at > size - bytes) {
      throw malformed((int) Math.max(0, Math.min(at, size)), "it leads out of its " + size + " bytes");
    }
  }

  private void checkWidth(int at, int width) {
    if (width != 1 && width != 2 && width != 4 && width != 8) {
      throw malformed(at, "a width of " + width);
    }
  }

  private void spend(int at, long amount) {
    budget -= amount;
    if (budget < 0) {
      throw malformed(at, "parts that are shared too often");
    }
  }

  private long signed(int at, int width) {
    need(at, width);
    switch (width) {
      case 1:
        return in.get(at);
      case 2:
        return in.getShort(at);
      case 4:
        return in.getInt(at);
      default:
        return in.getLong(at);
    }
  }

  private long unsigned(int at, int width) {
    long number = signed(at, width);
    return width == 8 ? number : number & (1L << width * 8) - 1;
  }

  private double real(int at, int width) {
    need(at, width);
    if (width == 4) {
      return in.getFloat(at);
    } else if (width == 8) {
      return in.getDouble(at);
    }
    throw malformed(at, "a float of " + width + " bytes");
  }

  /** As follow(), to something whose length stands before it: what is empty may lie where the offset does. */
  private int followSized(int at, int offsetWidth, int width) {
    need(at, offsetWidth);
    if (unsigned(at, offsetWidth) == 0 && at >= width && unsigned(at - width, width) == 0) {
      return at;
    }
    return follow(at, offsetWidth);
  }

  /** Where the offset stored here leads: backwards only, so that nothing contains itself. */
  private int follow(int at, int width) {
    long offset = unsigned(at, width);
    if (offset <= 0 || offset > at) {
      throw malformed(at, "it leads out of its " + size + " bytes");
    }
    return at - (int) offset;
  }

  private int count(int at, int width, int bytesEach) {
    int before = at - width;
    if (before < 0) {
      throw malformed(at, "a size before the first byte");
    }
    long count = unsigned(before, width);
    if (count < 0 || count > (size - at) / bytesEach) {
      throw malformed(before, Long.toUnsignedString(count) + " items in " + (size - at) + " bytes");
    }
    return (int) count;
  }

  private Object value(int at, int parentWidth, int packed, int depth) {
    spend(at, 1);
    int type = packed >> 2;
    int width = 1 << (packed & 3);
    switch (type) {
      case NULL:
        return null;
      case INT:
        return signed(at, parentWidth);
      case UINT:
        return Numbers.unsigned(unsigned(at, parentWidth));
      case FLOAT:
        return real(at, parentWidth);
      case BOOL:
        return unsigned(at, parentWidth) != 0;
      case KEY:
        return key(follow(at, parentWidth));
      case STRING:
        return string(follow(at, parentWidth), width);
      case BLOB:
        return blob(followSized(at, parentWidth, width), width);
      case INDIRECT_INT:
        return signed(follow(at, parentWidth), width);
      case INDIRECT_UINT:
        return Numbers.unsigned(unsigned(follow(at, parentWidth), width));
      case INDIRECT_FLOAT:
        return real(follow(at, parentWidth), width);
      case MAP:
        return map(followSized(at, parentWidth, width), width, depth);
      case VECTOR:
        return vector(followSized(at, parentWidth, width), width, depth);
      default:
        if (type >= VECTOR_INT && type <= VECTOR_STRING || type == VECTOR_BOOL) {
          int start = followSized(at, parentWidth, width);
          int itemType = type == VECTOR_BOOL ? BOOL : type - VECTOR_INT + INT;
          return typed(start, width, count(start, width, width), itemType, depth);
        }
        if (type >= VECTOR_INT2 && type <= VECTOR_FLOAT4) {
          int fixed = type - VECTOR_INT2;
          int start = follow(at, parentWidth);
          int count = fixed / 3 + 2;
          need(start, (long) count * width);
          return typed(start, width, count, fixed % 3 + INT, depth);
        }
        throw malformed(at, "unknown type " + type);
    }
  }

  private byte[] bytes(int at, int count) {
    spend(at, count);
    byte[] bytes = new byte[count];
    in.get(at, bytes);
    return bytes;
  }

  private byte[] blob(int at, int width) {
    return bytes(at, count(at, width, 1));
  }

  private String string(int at, int width) {
    return text(at, blob(at, width));
  }

  private String text(int at, byte[] bytes) {
    String text = Utf8.decode(bytes);
    if (text == null) {
      throw malformed(at, "a text that is not UTF-8");
    }
    return text;
  }

  private String key(int at) {
    String known = keys.get(at);
    if (known == null) {
      int end = at;
      while (end < size && in.get(end) != 0) {
        ++end;
      }
      if (end == size) {
        throw malformed(at, "a key without end");
      }
      known = text(at, bytes(at, end - at));
      keys.put(at, known);
    }
    return known;
  }

  private void enter(int at, int depth) {
    if (depth >= DEPTH_MAX) {
      throw malformed(at, "more than " + DEPTH_MAX + " containers within each other");
    }
  }

  private List<Object> vector(int at, int width, int depth) {
    enter(at, depth);
    int count = count(at, width, width + 1); // each item has a byte for its type
    List<Object> list = new ArrayList<>(Math.min(count, 1024));
    int types = at + count * width;
    for (int i = 0; i < count; ++i) {
      list.add(value(at + i * width, width, in.get(types + i) & 0xff, depth + 1));
    }
    return list;
  }

  private List<Object> typed(int at, int width, int count, int itemType, int depth) {
    enter(at, depth);
    List<Object> list = new ArrayList<>(Math.min(count, 1024));
    // Strings of a typed vector have sizes of one byte: the vector does not say their width.
    int packed = itemType << 2;
    for (int i = 0; i < count; ++i) {
      list.add(value(at + i * width, width, packed, depth + 1));
    }
    return list;
  }

  private Map<Object, Object> map(int at, int width, int depth) {
    enter(at, depth);
    int count = count(at, width, width + 1);
    int keysOffset = at - 3 * width;
    if (keysOffset < 0) {
      throw malformed(at, "a map before the first byte");
    }
    int keysAt = follow(keysOffset, width);
    int keyWidth = (int) Math.min(255, unsigned(at - 2 * width, width) & 0xffff);
    checkWidth(at - 2 * width, keyWidth);
    if (count(keysAt, keyWidth, keyWidth) != count) {
      throw malformed(at, "a map with another number of keys than values");
    }
    Map<Object, Object> map = new LinkedHashMap<>();
    int types = at + count * width;
    for (int i = 0; i < count; ++i) {
      String key = key(follow(keysAt + i * keyWidth, keyWidth));
      map.put(key, value(at + i * width, width, in.get(types + i) & 0xff, depth + 1));
    }
    return map;
  }
}

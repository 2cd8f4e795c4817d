package org.sabir.internal;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.sabir.SerializationException;

/** JSON for what languages tell each other about jobs and classes: small, and read leniently. */
public final class Json {
  private static final int DEPTH_MAX = 32;

  private final String text;
  private int at;

  private Json(String text) {
    this.text = text;
  }

  /** Maps, lists, text, numbers, truth values and null. */
  public static String write(Object value) {
    StringBuilder out = new StringBuilder();
    write(value, out);
    return out.toString();
  }

  private static void write(Object value, StringBuilder out) {
    if (value instanceof Map<?, ?> map) {
      String before = "{";
      for (Map.Entry<?, ?> entry : map.entrySet()) {
        out.append(before);
        text((String) entry.getKey(), out);
        out.append(": ");
        write(entry.getValue(), out);
        before = ", ";
      }
      out.append(map.isEmpty() ? "{}" : "}");
    } else if (value instanceof List<?> list) {
      String before = "[";
      for (Object item : list) {
        out.append(before);
        write(item, out);
        before = ", ";
      }
      out.append(list.isEmpty() ? "[]" : "]");
    } else if (value instanceof String string) {
      text(string, out);
    } else {
      out.append(value);
    }
  }

  private static void text(String string, StringBuilder out) {
    out.append('"');
    for (int i = 0; i < string.length(); ++i) {
      char c = string.charAt(i);
      if (c == '"' || c == '\\') {
        out.append('\\').append(c);
      } else if (c < 0x20 || c > 0x7e) {
        out.append(String.format("\\u%04x", (int) c));
      } else {
        out.append(c);
      }
    }
    out.append('"');
  }

  /** Integers become Long, other numbers Double. SerializationException if it is no JSON. */
  public static Object read(String text) {
    Json json = new Json(text);
    Object value = json.value(0);
    json.space();
    if (json.at != text.length()) {
      throw json.malformed();
    }
    return value;
  }

  private SerializationException malformed() {
    return new SerializationException("malformed JSON at character " + at);
  }

  private void space() {
    while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
      ++at;
    }
  }

  private boolean take(String expected) {
    space();
    if (!text.startsWith(expected, at)) {
      return false;
    }
    at += expected.length();
    return true;
  }

  private void need(String expected) {
    if (!take(expected)) {
      throw malformed();
    }
  }

  private Object value(int depth) {
    if (depth > DEPTH_MAX) {
      throw malformed();
    } else if (take("{")) {
      Map<String, Object> map = new LinkedHashMap<>();
      while (!take("}")) {
        if (!map.isEmpty()) {
          need(",");
        }
        need("\"");
        String key = string();
        need(":");
        map.put(key, value(depth + 1));
      }
      return map;
    } else if (take("[")) {
      List<Object> list = new ArrayList<>();
      while (!take("]")) {
        if (!list.isEmpty()) {
          need(",");
        }
        list.add(value(depth + 1));
      }
      return list;
    } else if (take("\"")) {
      return string();
    } else if (take("true")) {
      return true;
    } else if (take("false")) {
      return false;
    } else if (take("null")) {
      return null;
    }
    return number();
  }

  private String string() {
    StringBuilder out = new StringBuilder();
    while (at < text.length()) {
      char c = text.charAt(at++);
      if (c == '"') {
        return out.toString();
      }
      out.append(c == '\\' ? escaped() : c);
    }
    throw malformed();
  }

  private char escaped() {
    char c = at < text.length() ? text.charAt(at++) : 0;
    switch (c) {
      case 'n':
        return '\n';
      case 't':
        return '\t';
      case 'r':
        return '\r';
      case 'b':
        return '\b';
      case 'f':
        return '\f';
      case '"':
      case '\\':
      case '/':
        return c;
      case 'u':
        if (at + 4 <= text.length()) {
          try {
            at += 4;
            return (char) Integer.parseInt(text.substring(at - 4, at), 16);
          } catch (NumberFormatException wrong) {
            throw malformed();
          }
        }
        throw malformed();
      default:
        throw malformed();
    }
  }

  private Object number() {
    int start = at;
    while (at < text.length() && "+-.eE0123456789".indexOf(text.charAt(at)) >= 0) {
      ++at;
    }
    String digits = text.substring(start, at);
    try {
      return digits.matches("-?\\d+") ? (Object) Long.parseLong(digits) : (Object) Double.parseDouble(digits);
    } catch (NumberFormatException wrong) {
      at = start;
      throw malformed();
    }
  }
}

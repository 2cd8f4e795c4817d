package org.sabir.internal;

import java.util.HexFormat;

/** What the tests of values share. */
final class Values {
  private Values() {}

  /** A byte stream as text: printable ASCII as it is, `_` for a zero, `<hh...>` for other bytes in hexadecimal. */
  static byte[] bytes(String text) {
    java.io.ByteArrayOutputStream out = new java.io.ByteArrayOutputStream();
    for (int i = 0; i < text.length(); ++i) {
      char c = text.charAt(i);
      if (c == '<') {
        int end = text.indexOf('>', i);
        out.writeBytes(HexFormat.of().parseHex(text.substring(i + 1, end).replace(" ", "")));
        i = end;
      } else {
        out.write(c == '_' ? 0 : c);
      }
    }
    return out.toByteArray();
  }

  static Incoming written(Object value) {
    ByteSink sink = new ByteSink();
    sink.putLong(0x5a5a5a5a5a5a5a5aL); // a value does not begin where the sink does
    Encoded encoded = ValueWriter.write(sink, value, "the value");
    return Incoming.of(encoded.encoding(), encoded.variant(), encoded.toBytes(sink));
  }

  static Object roundTrip(Object value) {
    return ValueReader.read(written(value));
  }

  static byte[] plain(Object value) {
    Incoming written = written(value);
    if (written.encoding() != Encoded.NEUTRAL || written.variant() != Encoded.PLAIN) {
      throw new AssertionError("written with encoding " + written.encoding() + ", variant " + written.variant());
    }
    byte[] bytes = new byte[(int) written.data().size()];
    written.data().whole().get(bytes);
    return bytes;
  }

  static Object read(int encoding, int variant, byte[] bytes) {
    return ValueReader.read(Incoming.of(encoding, variant, bytes));
  }

  static Object readPlain(byte[] bytes) {
    return read(Encoded.NEUTRAL, Encoded.PLAIN, bytes);
  }
}

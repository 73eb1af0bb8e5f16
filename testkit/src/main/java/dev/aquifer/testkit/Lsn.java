package dev.aquifer.testkit;

/** Positions in the write-ahead log, from PostgreSQL's text form to a number and back. */
final class Lsn {
  private Lsn() {}

  static long parse(String lsn) {
    int slash = lsn.indexOf('/');
    try {
      if (slash > 0) {
        return (Long.parseUnsignedLong(lsn, 0, slash, 16) << 32)
            | Long.parseUnsignedLong(lsn, slash + 1, lsn.length(), 16);
      }
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("not a log position such as 0/3000148: " + lsn, e);
    }
    throw new IllegalArgumentException("not a log position such as 0/3000148: " + lsn);
  }
}

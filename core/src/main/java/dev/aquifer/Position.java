package dev.aquifer;

/**
 * A place in the write-ahead log of a PostgreSQL cluster. A node that has replayed up to it shows
 * every transaction that committed before it.
 *
 * <p>Positions compare only within one cluster (system identifier). A promotion starts a new
 * timeline, whose log goes on from where the promoted node was: a node covers a position only if it
 * is neither behind it in bytes nor on an older timeline.
 *
 * @param systemId the cluster's system identifier, unsigned 64 bits
 * @param timeline the timeline, 1 or more
 * @param lsn the log sequence number in bytes, unsigned 64 bits
 */
public record Position(long systemId, int timeline, long lsn) {
  /**
   * Whether a node that has replayed up to this position shows all that one at the other position
   * shows.
   */
  public boolean covers(Position other) {
    return systemId == other.systemId
        && timeline >= other.timeline
        && Long.compareUnsigned(lsn, other.lsn) >= 0;
  }

  /**
   * The first position that covers both. Of two clusters the other one's: a position of a cluster
   * that was replaced means nothing in the new one.
   */
  public Position max(Position other) {
    if (covers(other)) {
      return this;
    }
    if (systemId != other.systemId || other.covers(this)) {
      return other;
    }
    return new Position(
        systemId,
        Math.max(timeline, other.timeline),
        Long.compareUnsigned(lsn, other.lsn) >= 0 ? lsn : other.lsn);
  }

  /**
   * The LSN from PostgreSQL's text, such as {@code 16/B374D848}.
   *
   * @throws IllegalArgumentException when the text is not an LSN
   */
  public static long parseLsn(String text) {
    int slash = text.indexOf('/');
    if (slash < 1 || slash > 8 || text.length() - slash < 2 || text.length() - slash > 9) {
      throw new IllegalArgumentException(
          "Not a log sequence number: '%s'".formatted(Texts.printable(text, 40)));
    }
    try {
      long high = Long.parseLong(text.substring(0, slash), 16);
      long low = Long.parseLong(text.substring(slash + 1), 16);
      return (high << 32) | low;
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "Not a log sequence number: '%s'".formatted(Texts.printable(text, 40)), e);
    }
  }

  /** The LSN as PostgreSQL writes it. */
  public static String formatLsn(long lsn) {
    return "%X/%X".formatted(lsn >>> 32, lsn & 0xFFFF_FFFFL);
  }

  @Override
  public String toString() {
    return formatLsn(lsn) + "@" + timeline;
  }
}

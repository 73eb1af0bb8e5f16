package dev.aquifer.tsquery.encounter;

import dev.aquifer.tsquery.Encounter;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Says of ids whether a part of the archive may have them: a Bloom filter in blocks of 64 bits
 * (Putze, Sanders, Singler: Cache-, Hash- and Space-Efficient Bloom Filters, 2007), so that the
 * server reads eight bytes of it and no more. About two bytes an id; of ids that a part does not
 * have, it lets one in 200 through.
 */
final class Sieve {
  /** The server's side: two numbers to bind, {@link #block} and twice {@link #mask}. */
  static final String LETS_THROUGH =
      "('x' || encode(substring(sieve FROM (? % (length(sieve) / 8)) * 8 + 1 FOR 8), 'hex'))"
          + "::bit(64)::bigint & ? = ?";

  private static final int IDS_IN_BLOCK = 4;
  private static final int BITS = 5;

  private final int block;
  private final long mask;

  private Sieve(int block, long mask) {
    this.block = block;
    this.mask = mask;
  }

  /** What to look for, for this id. */
  static Sieve of(EncounterScope scope, String id) {
    // The scope too, so that whoever chooses ids for one tenant chooses none for another.
    String text = scope.tenant() + "/" + scope.kind() + "/" + id;
    ByteBuffer hash = ByteBuffer.wrap(GroupKey.sha256(text));
    long bits = hash.getLong();
    long mask = 0;
    for (int i = 0; i < BITS; i++) {
      mask |= 1L << (bits >>> (6 * i) & 63);
    }
    return new Sieve(hash.getInt() & Integer.MAX_VALUE, mask);
  }

  /** Before it is taken modulo the number of blocks. */
  int block() {
    return block;
  }

  /** Bits that are all set in its block where an id was put. */
  long mask() {
    return mask;
  }

  /** For these, at least one. */
  static byte[] bytes(EncounterScope scope, List<Encounter> encounters) {
    int blocks = (encounters.size() + IDS_IN_BLOCK - 1) / IDS_IN_BLOCK;
    ByteBuffer bytes = ByteBuffer.allocate(blocks * Long.BYTES);
    for (Encounter each : encounters) {
      Sieve sieve = of(scope, each.id());
      int at = sieve.block % blocks * Long.BYTES;
      bytes.putLong(at, bytes.getLong(at) | sieve.mask);
    }
    return bytes.array();
  }
}

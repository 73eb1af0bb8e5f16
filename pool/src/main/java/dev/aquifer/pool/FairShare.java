package dev.aquifer.pool;

import java.util.List;

/**
 * Divides a budget between parties that each know what the others hold and want. Who wants more may
 * take what nobody holds. While somebody holds less than an equal part and wants more, those above
 * an equal part go down to it. Followed by all, nobody below an equal part waits for long, and
 * nothing lies idle while somebody wants it.
 */
final class FairShare {
  private FairShare() {}

  /**
   * What one party holds, and what it could use.
   *
   * @param held connections that it may open, or has open
   * @param wanted connections that it has use for
   */
  record Party(int held, int wanted) {}

  /**
   * How much a party may hold: more than it does only as far as the total goes; less if others are
   * to have it, which it gives back as it can.
   */
  static int of(int total, Party own, List<Party> others) {
    int part = Math.max(1, total / (others.size() + 1));
    int taken = 0;
    boolean starving = false;
    for (Party other : others) {
      taken += other.held();
      starving |= other.held() < part && other.wanted() > other.held();
    }
    int aim = starving ? Math.min(own.wanted(), part) : own.wanted();
    return aim <= own.held() ? aim : Math.max(own.held(), Math.min(aim, total - taken));
  }
}

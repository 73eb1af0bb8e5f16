package dev.aquifer.pool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.testkit.Proof;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class FairShareTest {
  /**
   * Parties that come and go, want anything, and act in any order, each on what the others show.
   */
  @Test
  void parties_neverHoldMoreThanThereIs_andNobodyStarves() {
    Proof.of("budget-shares")
        .tries(300, 100_000)
        .each(
            random -> {
              int count = 1 + random.nextInt(6);
              int total = count + random.nextInt(60);
              List<FairShare.Party> parties = new ArrayList<>();
              for (int i = 0; i < count; i++) {
                parties.add(new FairShare.Party(0, random.nextInt(80)));
              }
              for (int step = 0; step < 200; step++) {
                int one = random.nextInt(count);
                int wanted =
                    random.nextInt(20) == 0 ? random.nextInt(80) : parties.get(one).wanted();
                act(parties, one, wanted, total);
                assertThat(parties.stream().mapToInt(FairShare.Party::held).sum())
                    .isLessThanOrEqualTo(total);
              }
              for (int step = 0; step < 3 * count; step++) {
                act(parties, step % count, parties.get(step % count).wanted(), total);
              }
              int sum = parties.stream().mapToInt(FairShare.Party::held).sum();
              for (FairShare.Party party : parties) {
                assertThat(party.held())
                    .isGreaterThanOrEqualTo(Math.min(party.wanted(), total / count));
                // Nothing lies idle while somebody wants it.
                assertThat(sum == total || party.held() >= party.wanted()).isTrue();
              }
            });
  }

  private static void act(List<FairShare.Party> parties, int one, int wanted, int total) {
    List<FairShare.Party> others = new ArrayList<>(parties);
    FairShare.Party own = new FairShare.Party(others.remove(one).held(), wanted);
    parties.set(one, new FairShare.Party(FairShare.of(total, own, others), wanted));
  }
}

package dev.aquifer.cache;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;

/**
 * The twelve races of a two-tier cache, and where each is run, with its guard and without.
 *
 * <table>
 * <caption>Races</caption>
 * <tr><th>race<th>what happens<th>guard<th>test
 * <tr><td>R1<td>a load that a void of its key overtook is stored<td>lease; overtaken loads
 *     <td>{@link R01StaleSetTest}
 * <tr><td>R2<td>an entry that was current when it was looked at is kept after its void
 *     <td>early ticks<td>{@link R02MemoryFillTest}
 * <tr><td>R3<td>the same as R1 by tag, table, cache or tenant<td>markers against the sequence from
 *     before the load<td>{@link R03TagTest}
 * <tr><td>R4<td>clocks are apart<td>no clock is compared<td>{@link R04SkewTest}
 * <tr><td>R5<td>a node misses voids<td>replay, silence limit<td>{@link R05DisconnectTest}
 * <tr><td>R6<td>Redis fails over to where voids are missing<td>regressed sequences, gaps in them
 *     <td>{@link R06FailoverTest}, {@link R06RestoredTest}
 * <tr><td>R7<td>the writer dies around its commit, or cannot know its outcome<td>poison
 *     <td>{@link R07TransactionTest}
 * <tr><td>R8<td>a lagging replica refills what was voided<td>floors of loads
 *     <td>{@link R08ReplicaLagTest}
 * <tr><td>R9<td>Redis evicts the voids<td>one state a partition, with an incarnation
 *     <td>{@link R09LostMarkerTest}
 * <tr><td>R10<td>many expire together; the one who loads dies<td>jitter, lease
 *     <td>{@link R10HerdTest}
 * <tr><td>R11<td>absence is remembered, then there is a row<td>absence has tags; its own time
 *     <td>{@link R11NegativeTest}
 * <tr><td>R12<td>a load depends on which of its callers began it<td>tenant in the key, threads of
 *     the cache<td>{@link R12CoalescingTest}
 * </table>
 */
class RacesTest {
  private static final List<Class<?>> RACES =
      List.of(
          R01StaleSetTest.class,
          R02MemoryFillTest.class,
          R03TagTest.class,
          R04SkewTest.class,
          R05DisconnectTest.class,
          R06FailoverTest.class,
          R07TransactionTest.class,
          R08ReplicaLagTest.class,
          R09LostMarkerTest.class,
          R10HerdTest.class,
          R11NegativeTest.class,
          R12CoalescingTest.class);

  @Test
  void everyRace_hasItsTests() {
    assertThat(IntStream.range(0, RACES.size()))
        .allSatisfy(
            i -> assertThat(RACES.get(i).getSimpleName()).startsWith("R%02d".formatted(i + 1)))
        .hasSize(12);
    assertThat(RACES)
        .allSatisfy(
            race -> assertThat(race.getDeclaredMethods()).filteredOn(RacesTest::runs).isNotEmpty());
  }

  private static boolean runs(Method method) {
    return Arrays.stream(method.getAnnotations())
        .anyMatch(
            note ->
                note.annotationType() == Test.class
                    || note.annotationType() == ParameterizedTest.class);
  }
}

package dev.aquifer.tsquery.encounter;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.NavigableSet;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Which coarse windows must be looked into, and what is found when they were. */
class SignalsTest {
  private static final long STOP = 400;

  /** A start in it may be before the group begins: then nothing goes on after it. */
  @Test
  void mark_windowThatBeganBeforeTheGroup_doesNotSayWhatGoesOn() {
    Signals signals = signals(20, 0);
    signals.saw(0, 40, Signals.START);
    signals.saw(40, 80, Signals.START);
    signals.refine(new TreeSet<>());

    assertThat(marked(signals)).containsExactly(0L, 40L);

    signals.saw(10, 20, Signals.START);
    signals.saw(50, 60, Signals.START);
    signals.refine(marked(signals));
    assertThat(signals.found(STOP)).containsExactly(new Signals.Found(50, STOP, true));
  }

  /** Where the silence begins, it ends: not at the edge of the coarse window before it. */
  @Test
  void mark_windowsBeforeAndAfterASilence_areLookedInto() {
    Signals signals = signals(0, 100);
    signals.saw(0, 40, Signals.START);
    signals.saw(40, 80, Signals.ACTIVE);
    signals.saw(200, 240, Signals.ACTIVE);
    signals.refine(new TreeSet<>());

    assertThat(marked(signals)).containsExactly(0L, 40L, 200L);

    signals.saw(20, 30, Signals.START);
    signals.saw(40, 50, Signals.ACTIVE);
    signals.saw(210, 220, Signals.ACTIVE);
    signals.refine(marked(signals));
    assertThat(signals.found(STOP)).containsExactly(new Signals.Found(20, 50, false));
  }

  @Test
  void mark_startsWhileItSurelyGoesOn_areNotLookedInto() {
    Signals signals = signals(0, 0);
    signals.saw(0, 40, Signals.START);
    signals.saw(40, 80, Signals.START);
    signals.saw(80, 120, Signals.STOP);
    signals.saw(120, 160, Signals.STOP);
    signals.refine(new TreeSet<>());

    assertThat(marked(signals)).containsExactly(0L, 80L);
  }

  private static Signals signals(long begin, long quiet) {
    return new Signals(begin, quiet);
  }

  private static NavigableSet<Long> marked(Signals signals) {
    NavigableSet<Long> marked = new TreeSet<>();
    signals.mark(marked, STOP);
    return marked;
  }
}

package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class EpochLogTest {
  @Test
  void voidedSince_entryAfterTheEpoch_countsForWhatItIntersects() {
    EpochLog log = new EpochLog(8);
    long before = log.begin();
    log.append(10, 20);

    assertThat(log.voidedSince(before, 19, 30)).isTrue();
    assertThat(log.voidedSince(before, 20, 30)).isFalse();
    assertThat(log.voidedSince(before, 0, 10)).isFalse();
    assertThat(log.voidedSince(log.begin(), 10, 20)).isFalse();
  }

  @Test
  void append_pastTheBound_widensAndLosesNothing() {
    EpochLog log = new EpochLog(4);
    long before = log.begin();
    for (long i = 0; i < 100; i++) {
      log.append(i * 10, i * 10 + 1);
    }

    assertThat(log.size()).isEqualTo(4);
    for (long i = 0; i < 100; i++) {
      assertThat(log.voidedSince(before, i * 10, i * 10 + 1)).isTrue();
    }
    assertThat(log.voidedSince(before, 2_000, 2_001)).isFalse();
  }

  @Test
  void append_pastTheBound_staysExactForLaterEpochs() {
    EpochLog log = new EpochLog(2);
    log.begin();
    log.append(0, 1);
    log.append(10, 11);
    long later = log.begin();
    log.append(100, 101);

    assertThat(log.voidedSince(later, 0, 11)).isFalse();
    assertThat(log.voidedSince(later, 100, 101)).isTrue();
  }

  @Test
  void end_ofTheOldest_dropsWhatNobodyNeeds() {
    EpochLog log = new EpochLog(8);
    long first = log.begin();
    log.append(0, 1);
    long second = log.begin();
    log.append(10, 11);
    log.end(first);

    assertThat(log.size()).isEqualTo(1);
    assertThat(log.voidedSince(second, 10, 11)).isTrue();
    log.end(second);
    assertThat(log.size()).isZero();
  }

  @Test
  void append_withNothingUnderWay_keepsNothing() {
    EpochLog log = new EpochLog(8);
    log.append(0, 1);

    assertThat(log.size()).isZero();
  }
}

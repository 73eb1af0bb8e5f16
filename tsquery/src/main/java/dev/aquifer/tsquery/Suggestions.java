package dev.aquifer.tsquery;

import java.util.ArrayList;
import java.util.List;

/** Reads a profile for what could be cheaper. Says nothing of what was seen a few times only. */
final class Suggestions {
  private static final int FEW = 10;
  private static final double MUCH = 0.1;
  private static final long WIDE = 5_000;

  private Suggestions() {}

  static List<String> of(QueryProfile profile) {
    List<String> all = new ArrayList<>();
    for (String remark : profile.remarks()) {
      all.add("%s; %,d requests were answered so.".formatted(remark, profile.requests()));
    }
    long answers = profile.count() - profile.failed();
    if (profile.count() < FEW || answers == 0) {
      return all;
    }
    refetched(profile, all);
    clipped(profile, answers, all);
    wide(profile, answers, all);
    if (profile.requests() > 1.5 * answers) {
      all.add(
          "An answer takes %.1f requests (%,d for %,d answers): its missing windows lie apart. Ask for a range at a time, or keep more (maximumWeight)."
              .formatted((double) profile.requests() / answers, profile.requests(), answers));
    }
    if (profile.failed() > MUCH * profile.count()) {
      all.add(
          "%,d of %,d queries failed (%.0f %%); their errors say why."
              .formatted(
                  profile.failed(), profile.count(), percent(profile.failed(), profile.count())));
    }
    return List.copyOf(all);
  }

  private static void refetched(QueryProfile profile, List<String> all) {
    if (profile.refetched() > MUCH * profile.windows()) {
      all.add(
          "%.0f %% of the windows in answers (%,d of %,d) were fetched again though they had been fetched before: they live too short (ageing), are voided too widely (invalidate), or do not fit (maximumWeight)."
              .formatted(
                  percent(profile.refetched(), profile.windows()),
                  profile.refetched(),
                  profile.windows()));
    }
  }

  private static void clipped(QueryProfile profile, long answers, List<String> all) {
    if (profile.clipped() >= answers && profile.clipped() > MUCH * profile.fetched()) {
      all.add(
          "Ranges begin or end inside a window of %s: %.0f %% of what is fetched (%,d of %,d windows) are such windows, which are never kept. Let ranges begin and end at the windows' edges."
              .formatted(
                  profile.query().window().every(),
                  percent(profile.clipped(), profile.fetched()),
                  profile.clipped(),
                  profile.fetched()));
    }
  }

  private static void wide(QueryProfile profile, long answers, List<String> all) {
    long windows = profile.windows() / answers;
    if (windows > WIDE) {
      all.add(
          "An answer has %,d windows on average: more than a chart shows. Ask for longer windows, or let maxPoints choose them."
              .formatted(windows));
    }
  }

  private static double percent(long part, long whole) {
    return 100.0 * part / whole;
  }
}

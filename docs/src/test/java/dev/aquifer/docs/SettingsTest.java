package dev.aquifer.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.cache.CacheSettings;
import dev.aquifer.cache.CachesBuilder;
import dev.aquifer.metrics.AquiferMetrics;
import dev.aquifer.metrics.MetricsPage;
import dev.aquifer.pool.PoolSettings;
import dev.aquifer.replica.ReplicaSetBuilder;
import dev.aquifer.repository.AquiferBuilder;
import dev.aquifer.tsquery.FluxBackend;
import dev.aquifer.tsquery.Influx3Backend;
import dev.aquifer.tsquery.InfluxQlBackend;
import dev.aquifer.tsquery.TimeSeriesBuilder;
import dev.aquifer.tsquery.encounter.EncountersBuilder;
import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The README's tables name every setting, none that is not there, and the defaults of the code. */
class SettingsTest {
  private static final Pattern NAME = Pattern.compile("`(\\w+)(?:\\(…\\))?`");
  private static final Set<String> ELSEWHERE = Set.of("build", "start", "url");

  private record Row(String where, String names, String value) {}

  @Test
  void settings_areThoseOfTheBuilders() throws IOException {
    Set<String> named = new TreeSet<>();
    for (Row row : rows()) {
      Matcher name = NAME.matcher(row.names());
      while (name.find()) {
        named.add(name.group(1));
      }
    }
    assertThat(named).containsExactlyInAnyOrderElementsOf(settings());
  }

  @Test
  void defaults_areThoseOfTheCode() throws Exception {
    PoolSettings pool = PoolSettings.builder().url("jdbc:postgresql://db/app").build();
    assertThat(checked("CacheSettings", CacheSettings.defaults())).isGreaterThanOrEqualTo(6);
    assertThat(checked("pool(…)", pool)).isGreaterThanOrEqualTo(11);
  }

  private static int checked(String where, Record defaults) throws Exception {
    int checked = 0;
    for (RecordComponent component : defaults.getClass().getRecordComponents()) {
      String expected = text(component.getAccessor().invoke(defaults));
      for (Row row : rows()) {
        if (expected != null
            && row.where().contains(where)
            && row.names().equals("`" + component.getName() + "`")) {
          assertThat(row.value()).as(component.getName()).startsWith(expected);
          checked++;
        }
      }
    }
    return checked;
  }

  private static String text(Object value) {
    if (value instanceof Duration time) {
      return time.isZero()
          ? "0"
          : time.toSeconds() == 0
              ? time.toMillis() + " ms"
              : time.toSeconds() % 60 == 0 ? time.toMinutes() + " min" : time.toSeconds() + " s";
    }
    if (value instanceof Integer number) {
      return number == 1 << 20 ? "1 MiB" : "%,d".formatted(number);
    }
    return null;
  }

  private static Set<String> settings() {
    return Stream.of(
            AquiferBuilder.class,
            CacheSettings.Builder.class,
            CachesBuilder.class,
            ReplicaSetBuilder.class,
            PoolSettings.Builder.class,
            TimeSeriesBuilder.class,
            EncountersBuilder.class,
            InfluxQlBackend.Builder.class,
            FluxBackend.Builder.class,
            Influx3Backend.Builder.class,
            AquiferMetrics.Builder.class,
            MetricsPage.Builder.class)
        .flatMap(type -> Stream.of(type.getDeclaredMethods()))
        .filter(method -> Modifier.isPublic(method.getModifiers()) && !method.isSynthetic())
        .map(Method::getName)
        .filter(name -> !ELSEWHERE.contains(name))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** The rows of both forms of table; an empty first cell repeats the one above. */
  private static List<Row> rows() throws IOException {
    String page = Files.readString(Path.of("..", "README.md"));
    String part = page.substring(page.indexOf("\n## Settings"), page.indexOf("\n## Numbers"));
    List<Row> rows = new ArrayList<>();
    String where = "";
    for (String line : part.lines().filter(l -> l.startsWith("|")).toList()) {
      List<String> cells = Stream.of(line.split("\\|", -1)).map(String::strip).toList();
      boolean withPlace = cells.size() == 7;
      if (withPlace && !cells.get(1).isEmpty()) {
        where = cells.get(1);
      }
      int name = withPlace ? 2 : 1;
      rows.add(new Row(where, cells.get(name), cells.get(name + 1)));
    }
    return rows;
  }
}

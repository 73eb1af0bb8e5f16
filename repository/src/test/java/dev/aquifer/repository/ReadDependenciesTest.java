package dev.aquifer.repository;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.testkit.PostgresExtension;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * What a write to another table can change without its name standing in the statement, asked of a
 * real catalogue.
 */
class ReadDependenciesTest {
  @RegisterExtension
  static final PostgresExtension POSTGRES =
      PostgresExtension.shared()
          .schema(
              "create table airline (id int primary key)",
              "create table flight (id int primary key, airline int references airline on delete cascade)",
              "create table seat (id int, flight int references flight on delete set null)",
              "create table note (id int, flight int references flight)",
              "create view busy as select * from flight",
              "create view busier as select * from busy",
              "create table reading (at int) partition by range (at)",
              "create table reading_1 partition of reading for values from (0) to (10)",
              "create function any_row() returns int language sql stable as 'select id from flight limit 1'",
              "create view opaque as select any_row() as id",
              "create table audited (id int)",
              "create function audit() returns trigger language plpgsql as $$ begin insert into note values (1); return new; end $$",
              "create trigger audit after insert on audited for each row execute function audit()");

  @Test
  void of_table() {
    assertThat(tables("airline")).containsExactlyInAnyOrder("airline", "audited");
  }

  @Test
  void of_viewOfAViewIsWhatLiesUnderIt() {
    assertThat(tables("busier")).contains("busier", "busy", "flight");
  }

  @Test
  void of_foreignKeyThatActsFollowsItUpwards() {
    assertThat(tables("seat")).contains("seat", "flight", "airline");
    assertThat(tables("note")).contains("note").doesNotContain("flight");
  }

  @Test
  void of_partitionsStandForEachOther() {
    assertThat(tables("reading")).contains("reading_1");
    assertThat(tables("reading_1")).contains("reading");
  }

  @Test
  void of_anyTableWithATriggerMayWriteThis() {
    assertThat(tables("note")).contains("audited");
  }

  @Test
  void of_viewThatCallsAFunctionIsNamed() {
    assertThat(
            ReadDependencies.of(POSTGRES.database().dataSource(), Set.of("opaque")).callingView())
        .isEqualTo("opaque");
  }

  @Test
  void of_tableThatIsNotThereYetKeepsItsName() {
    assertThat(tables("later")).contains("later");
  }

  private static Set<String> tables(String... named) {
    return ReadDependencies.of(POSTGRES.database().dataSource(), Set.of(named)).tables();
  }
}

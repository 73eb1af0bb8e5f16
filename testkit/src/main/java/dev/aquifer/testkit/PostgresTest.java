package dev.aquifer.testkit;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Gives a test class a database of its own on the cluster that all test classes of this JVM share.
 * Test methods, lifecycle methods and constructors may have parameters of the types {@link
 * TestDatabase}, {@link PostgresCluster} and {@link javax.sql.DataSource} (the database, on the
 * primary). The database is dropped when the class is done.
 *
 * <p>A class that kills, pauses or promotes nodes takes a cluster of its own: {@link
 * PostgresExtension#own}.
 */
@Documented
@Inherited
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(PostgresExtension.class)
public @interface PostgresTest {
  /** How many standbys the class needs, 0 to 3; the shared cluster grows as needed. */
  int standbys() default 0;

  /** SQL to run in the new database before the first test. */
  String[] schema() default {};
}

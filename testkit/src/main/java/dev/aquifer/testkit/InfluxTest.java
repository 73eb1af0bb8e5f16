package dev.aquifer.testkit;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Gives a test class a database of its own on the InfluxDB that all test classes of this JVM share.
 * Parameters may be of the types {@link InfluxDatabase} and {@link InfluxServer}. Where no InfluxDB
 * can be had the class is skipped, with the reason, unless the environment variable {@code
 * AQUIFER_TEST_REQUIRE} holds {@code influxdb}: then it fails.
 */
@Documented
@Inherited
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(InfluxExtension.class)
public @interface InfluxTest {}

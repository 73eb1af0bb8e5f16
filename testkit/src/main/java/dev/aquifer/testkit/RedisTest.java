package dev.aquifer.testkit;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Gives a test class a numbered database of its own, empty, on the Redis server that all test
 * classes of this JVM share. Parameters may be of the types {@link RedisDatabase} and {@link
 * RedisServer}.
 *
 * <p>A class that kills, pauses or restarts the server takes one of its own: {@link
 * RedisExtension#own}.
 */
@Documented
@Inherited
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(RedisExtension.class)
public @interface RedisTest {}

package dev.aquifer.spi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Tenant;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ObserverTest {
  @Test
  void of_tellsEveryoneEverythingAlsoWhenOneThrows() throws Exception {
    List<String> heard = new ArrayList<>();
    Observer broken = recording(heard, new IllegalStateException("observer"));
    Observer sound = recording(heard, null);
    Observer both = Observer.of(List.of(broken, Observer.NONE, sound));

    for (Method method : Observer.class.getMethods()) {
      if (!method.isDefault()) {
        continue;
      }
      heard.clear();
      method.invoke(both, arguments(method));
      assertThat(heard).as(method.getName()).containsExactly(method.getName(), method.getName());
    }
  }

  @Test
  void of_nobodyIsNone() {
    assertThat(Observer.of(List.of(Observer.NONE))).isSameAs(Observer.NONE);
  }

  @Test
  void writeSet_tagsOfUnknownTablesHoldTheTagOfAll() {
    WriteSet writes = new WriteSet(1, Tenant.of("DFW"), Set.of("flight"), true);
    assertThat(writes.tags())
        .extracting(Object::toString)
        .containsExactlyInAnyOrder("table:flight", "table:*");
  }

  private static Observer recording(List<String> heard, RuntimeException error) {
    return (Observer)
        Proxy.newProxyInstance(
            Observer.class.getClassLoader(),
            new Class<?>[] {Observer.class},
            (proxy, method, arguments) -> {
              heard.add(method.getName());
              if (error != null) {
                throw error;
              }
              return null;
            });
  }

  private static Object[] arguments(Method method) {
    return List.of(method.getParameterTypes()).stream().map(ObserverTest::argument).toArray();
  }

  private static Object argument(Class<?> type) {
    if (type.isEnum()) {
      return type.getEnumConstants()[0];
    }
    if (type == Tenant.class) {
      return Tenant.of("DFW");
    }
    if (type == Duration.class) {
      return Duration.ZERO;
    }
    if (type == long.class) {
      return 1L;
    }
    if (type == int.class) {
      return 1;
    }
    if (type == boolean.class) {
      return true;
    }
    return type == Throwable.class ? new IllegalStateException("x") : "text";
  }
}

package dev.aquifer.repository;

import dev.aquifer.ConfigurationException;
import dev.aquifer.Tag;
import dev.aquifer.cache.Cached;
import dev.aquifer.repository.ReadDependencies.Found;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import javax.sql.DataSource;

/** All methods of a repository interface, checked, with the tags that their cached values carry. */
final class RepositoryPlan {
  private final Map<Method, Set<Tag>> tags = new HashMap<>();

  private RepositoryPlan() {}

  static RepositoryPlan of(Class<?> type, DataSource database) {
    if (!type.isInterface()) {
      throw new ConfigurationException(
          "%s is not an interface. A repository is an interface with annotated methods."
              .formatted(type.getName()));
    }
    RepositoryPlan plan = new RepositoryPlan();
    for (Method method : type.getMethods()) {
      if (Modifier.isAbstract(method.getModifiers())) {
        plan.add(RepositoryMethod.of(method), database);
      } else if (method.isAnnotationPresent(Cached.class)) {
        throw RepositoryMethod.refused(
            method,
            "is @Cached but has a body, so what it reads is not known. Annotate the @SqlQuery methods that it calls");
      }
    }
    return plan;
  }

  private void add(RepositoryMethod method, DataSource database) {
    if (method.cached()) {
      Found found = ReadDependencies.of(database, method.tablesRead());
      if (!found.callingView().isEmpty()) {
        throw RepositoryMethod.refused(
            method.method(),
            "is @Cached and reads the view %s, which calls a function of the application; what that reads is not known. Read the tables instead, or remove @Cached"
                .formatted(found.callingView()));
      }
      tags.put(method.method(), found.tags());
    }
  }

  /** The tags of the tables that a cached method depends on. */
  Set<Tag> tags(Method method) {
    return tags.getOrDefault(method, Set.of());
  }
}

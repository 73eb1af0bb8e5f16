package dev.aquifer.repository;

import dev.aquifer.TenantContext;
import java.lang.reflect.Method;
import org.jdbi.v3.core.extension.ExtensionHandler;
import org.jdbi.v3.core.extension.ExtensionHandlerCustomizer;

/**
 * Runs what is marked for all tenants with none, so that it is not attributed to the one that
 * happens to be current. Sits below Jdbi's own proxy: a default method's calls pass here too.
 */
final class WithoutTenant implements ExtensionHandlerCustomizer {
  @Override
  public ExtensionHandler customize(ExtensionHandler handler, Class<?> type, Method method) {
    if (!RepositoryMethod.isCrossTenant(method)) {
      return handler;
    }
    return (config, target) -> {
      var attached = handler.attachTo(config, target);
      return (handles, arguments) ->
          TenantContext.callWithout(() -> attached.invoke(handles, arguments));
    };
  }
}

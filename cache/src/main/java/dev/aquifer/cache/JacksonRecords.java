package dev.aquifer.cache;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Constructor;
import tools.jackson.databind.BeanDescription;
import tools.jackson.databind.DeserializationConfig;
import tools.jackson.databind.DeserializationContext;
import tools.jackson.databind.deser.ValueInstantiator;
import tools.jackson.databind.deser.ValueInstantiators;
import tools.jackson.databind.deser.std.StdValueInstantiator;
import tools.jackson.databind.module.SimpleModule;

/**
 * Has records made by a handle that is bound to their constructor once, where Jackson adapts one to
 * the arguments at each call, which costs a fifth of the decoding of a small record.
 */
final class JacksonRecords extends SimpleModule {
  private static final long serialVersionUID = 1;

  JacksonRecords() {
    super("records");
  }

  @Override
  public void setupModule(SetupContext context) {
    super.setupModule(context);
    context.addValueInstantiators(
        new ValueInstantiators.Base() {
          @Override
          public ValueInstantiator modifyValueInstantiator(
              DeserializationConfig config,
              BeanDescription.Supplier bean,
              ValueInstantiator plain) {
            return bean.getBeanClass().isRecord() ? bound(plain) : plain;
          }
        });
  }

  private static ValueInstantiator bound(ValueInstantiator plain) {
    if (plain.getClass() != StdValueInstantiator.class
        || plain.getWithArgsCreator() == null
        || !(plain.getWithArgsCreator().getAnnotated() instanceof Constructor<?> constructor)) {
      return plain;
    }
    try {
      constructor.setAccessible(true);
      MethodHandle handle =
          MethodHandles.lookup()
              .unreflectConstructor(constructor)
              .asFixedArity()
              .asSpreader(Object[].class, constructor.getParameterCount())
              .asType(MethodType.methodType(Object.class, Object[].class));
      return new Bound((StdValueInstantiator) plain, handle);
    } catch (ReflectiveOperationException | RuntimeException e) {
      // A module that is not open: Jackson has its own ways, or says so.
      return plain;
    }
  }

  private static final class Bound extends StdValueInstantiator {
    private static final long serialVersionUID = 1;

    private final transient MethodHandle constructor;

    Bound(StdValueInstantiator plain, MethodHandle constructor) {
      super(plain);
      this.constructor = constructor;
    }

    @Override
    public Object createFromObjectWith(DeserializationContext context, Object[] arguments) {
      try {
        return constructor.invokeExact(arguments);
      } catch (Throwable e) {
        // Once more, for Jackson to tell it as it does.
        return super.createFromObjectWith(context, arguments);
      }
    }
  }
}

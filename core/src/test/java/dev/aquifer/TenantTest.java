package dev.aquifer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TenantTest {
  @ParameterizedTest
  @ValueSource(strings = {"DFW", "a", "A.b_c-9", "..", "-"})
  void of_allowed(String id) {
    assertThat(Tenant.of(id).id()).isEqualTo(id);
  }

  @Test
  void of_longestAllowed() {
    assertThat(Tenant.of("x".repeat(Tenant.MAX_LENGTH)).id()).hasSize(64);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a b", "a:b", "{a}", "a{b", "a*", "a\nb", "a\u0000", "ä", "a/b", "a=b", "a~b", "😀", "а"
      })
  void of_refusesAndNamesTheCharacter(String id) {
    assertThatExceptionOfType(InvalidTenantException.class)
        .isThrownBy(() -> Tenant.of(id))
        .withMessageContaining("U+")
        .withMessageContaining("at index")
        .satisfies(e -> assertThat(e.getMessage()).doesNotContain("\n", "\u0000"));
  }

  @Test
  void of_refusesTenThousandCharactersWithoutRepeatingThem() {
    assertThatExceptionOfType(InvalidTenantException.class)
        .isThrownBy(() -> Tenant.of("x".repeat(10_000)))
        .withMessageContaining("10,000")
        .satisfies(e -> assertThat(e.getMessage().length()).isLessThan(200));
  }

  @Test
  void of_refusesEmpty() {
    assertThatThrownBy(() -> Tenant.of("")).isInstanceOf(InvalidTenantException.class);
  }

  @Test
  void call_restoresTheTenantBeforeAlsoAfterAnError() throws Exception {
    Tenant outer = Tenant.of("outer");
    Tenant inner = Tenant.of("inner");

    outer.call(
        () -> {
          assertThatThrownBy(
                  () ->
                      inner.call(
                          () -> {
                            assertThat(TenantContext.require()).isEqualTo(inner);
                            throw new IOException("as thrown");
                          }))
              .isExactlyInstanceOf(IOException.class);
          return assertThat(TenantContext.require()).isEqualTo(outer);
        });

    assertThat(TenantContext.current()).isEmpty();
  }

  @Test
  void require_withoutTenantSaysWhatToDo() {
    assertThatThrownBy(TenantContext::require)
        .isInstanceOf(MissingTenantException.class)
        .hasMessageContaining("Tenant.of(id).call");
  }

  @Test
  void wrap_carriesTheTenantToAnotherThreadAndNoFurther() throws Exception {
    Callable<String> wrapped =
        Tenant.of("DFW").call(() -> TenantContext.wrap(() -> TenantContext.require().id()));

    String seen =
        CompletableFuture.supplyAsync(
                () -> {
                  try {
                    return wrapped.call() + " then " + TenantContext.current();
                  } catch (Exception e) {
                    throw new IllegalStateException(e);
                  }
                })
            .get();

    assertThat(seen).isEqualTo("DFW then Optional.empty");
  }

  @Test
  void wrap_ofNoTenantRunsWithNone() {
    Runnable wrapped =
        TenantContext.wrap(
            () -> {
              assertThat(TenantContext.current()).isEmpty();
            });

    Tenant.of("DFW").run(wrapped);
  }

  @Test
  void enter_scopeRestores() {
    TenantContext.Scope scope = TenantContext.enter(Tenant.of("DFW"));
    assertThat(TenantContext.require().id()).isEqualTo("DFW");
    scope.close();
    assertThat(TenantContext.current()).isEmpty();
  }

  @Test
  void callWithout_hidesTheTenantFromTheBodyAlone() throws Exception {
    Tenant.of("DFW")
        .call(
            () -> {
              assertThat(TenantContext.callWithout(TenantContext::current)).isEmpty();
              return assertThat(TenantContext.require().id()).isEqualTo("DFW");
            });
  }
}

package dev.aquifer.docs;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.conditions.ArchPredicates.are;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The rules that keep every edge between modules pointing downwards. */
class ArchitectureTest {
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("dev.aquifer");

  private static final Map<String, List<String>> MAY_USE =
      Map.of(
          "testkit", List.of(),
          "cache", List.of(),
          "pool", List.of(),
          "replica", List.of("pool"),
          "tsquery", List.of("cache"),
          "metrics", List.of(),
          "repository", List.of("cache", "pool", "replica", "tsquery", "metrics"));

  private static final String[] CORE = {
    "dev.aquifer", "dev.aquifer.sql", "dev.aquifer.spi", "dev.aquifer.batch"
  };

  private static final Pattern PUBLIC_TYPE =
      Pattern.compile(
          "(public|protected) [a-z ]*\\b(class|interface|record|enum|@interface) \\w+.*");

  @Test
  void edges_pointDownwards() {
    assertThat(CLASSES.size()).isGreaterThan(50);
    MAY_USE.forEach(
        (module, below) -> {
          List<String> allowed = new ArrayList<>(List.of(CORE));
          allowed.add(packages(module));
          below.forEach(each -> allowed.add(packages(each)));
          classes()
              .that()
              .resideInAPackage(packages(module))
              .should()
              .onlyDependOnClassesThat(
                  are(
                      resideInAnyPackage(allowed.toArray(String[]::new))
                          .or(
                              com.tngtech.archunit.base.DescribedPredicate.not(
                                  resideInAnyPackage("dev.aquifer..")))))
              .check(CLASSES);
        });
  }

  @Test
  void core_knowsNothingButItselfAndTheLog() {
    classes()
        .that()
        .resideInAnyPackage(CORE)
        .should()
        .onlyDependOnClassesThat(
            resideInAnyPackage(
                "dev.aquifer",
                "dev.aquifer.sql",
                "dev.aquifer.spi",
                "dev.aquifer.batch",
                "java..",
                "org.slf4j..",
                "org.jspecify.."))
        .check(CLASSES);
  }

  @Test
  void packages_haveNoCycles() {
    slices().matching("dev.aquifer.(*)..").should().beFreeOfCycles().check(CLASSES);
  }

  @Test
  void library_neverDeserializesByClassNameNorPrintsNorSleeps() {
    String[] library =
        MAY_USE.keySet().stream().map(ArchitectureTest::packages).toArray(String[]::new);
    noClasses()
        .that(resideInAnyPackage(library).or(resideInAnyPackage(CORE)))
        .should()
        .dependOnClassesThat()
        .haveFullyQualifiedName("java.io.ObjectInputStream")
        .check(CLASSES);
    noClasses()
        .that(resideInAnyPackage(library).or(resideInAnyPackage(CORE)))
        .should()
        .accessField(System.class, "out")
        .orShould()
        .accessField(System.class, "err")
        .orShould()
        .callMethod(Thread.class, "sleep", long.class)
        .orShould()
        .callMethod(Thread.class, "sleep", long.class, int.class)
        .orShould()
        .callMethod(TimeUnit.class, "sleep", long.class)
        .check(CLASSES);
  }

  /** Nested ones too. Lines of code between a comment and a type make the comment another's. */
  @Test
  void publicTypes_areDocumented() throws IOException {
    List<String> bare = new ArrayList<>();
    int types = 0;
    for (Path source : sources()) {
      boolean documented = false;
      for (String line : Files.readAllLines(source)) {
        String code = line.strip();
        if (code.startsWith("/**")) {
          documented = true;
        } else if (PUBLIC_TYPE.matcher(code).matches()) {
          types++;
          if (!documented) {
            bare.add(source.getFileName() + ": " + code);
          }
          documented = false;
        } else if (code.matches("[^*@].*[;{}]")) {
          documented = false;
        }
      }
    }
    assertThat(bare).isEmpty();
    assertThat(types).isGreaterThan(100);
  }

  private static List<Path> sources() throws IOException {
    try (Stream<Path> files = Files.walk(Path.of(".."))) {
      List<Path> found =
          files
              .filter(
                  file ->
                      file.toString().contains("/src/main/java/")
                          && file.toString().endsWith(".java"))
              .toList();
      assertThat(found).hasSizeGreaterThan(50);
      return found;
    }
  }

  private static String packages(String module) {
    return "dev.aquifer." + module + "..";
  }
}

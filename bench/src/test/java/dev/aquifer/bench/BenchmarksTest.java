package dev.aquifer.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Collection;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.BenchmarkList;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

class BenchmarksTest {
  @Test
  void list_hasEveryQuestionWithItsContenders() {
    Set<String> names =
        Set.copyOf(
            BenchmarkList.defaultList()
                .getAll(
                    OutputFormatFactory.createFormatInstance(System.out, VerboseMode.SILENT),
                    List.of())
                .stream()
                .map(entry -> entry.getUsername().substring("dev.aquifer.bench.".length()))
                .toList());

    assertThat(names)
        .contains(
            "Checkout.aquifer",
            "Checkout.hikari",
            "Checkout.pool",
            "Checkout.shardingsphere",
            "Checkout.awswrapper",
            "SelectOne.aquifer",
            "SelectOne.hikari",
            "SelectOne.shardingsphere",
            "SelectOne.awswrapper",
            "RouteDecision.aquifer",
            "RouteDecision.map",
            "FirstAnalysis.aquifer",
            "FirstAnalysis.fingerprint",
            "FirstAnalysis.longest",
            "L1Hit.aquifer",
            "L1Hit.caffeine",
            "L1Hit.caffeinePlain",
            "L1Hit.jetcache",
            "L1Hit.redisson",
            "L1HitTagged.aquifer",
            "L1HitTagged.caffeine",
            "L1HitTagged.caffeinePlain",
            "ProxyCall.proxy",
            "ProxyCall.proxyOfTwo",
            "ProxyCall.cache",
            "L2Hit.aquifer",
            "L2Hit.lettuce",
            "L2Hit.jetcache",
            "L2Hit.redisson",
            "BulkGet.aquifer",
            "BulkGet.lettuce",
            "BulkGet.jetcache",
            "BulkGet.redisson",
            "TagInvalidation.aquifer",
            "CommitVoid.aquifer",
            "WindowAssembly.aquifer",
            "CoveragePlan.aquifer",
            "RangeInvalidation.aquifer",
            "FluxCsv.aquifer",
            "FluxCsv.fluxCsvParser");
  }

  @Test
  void cheapOnes_oneIteration_run() throws Exception {
    Options options =
        new OptionsBuilder()
            .include("\\.FirstAnalysis\\.")
            .include("\\.RouteDecision\\.map$")
            .include("\\.L1Hit\\.")
            .include("\\.L2Hit\\.aquifer$")
            .include("\\.(RouteDecision|SelectOne)\\.aquifer$")
            .include("\\.BulkGet\\.aquifer$")
            .include("\\.TagInvalidation\\.aquifer$")
            .include("\\.CoveragePlan\\.aquifer$")
            .param("entries", "1000")
            .forks(0)
            .warmupIterations(0)
            .measurementIterations(1)
            .measurementTime(TimeValue.milliseconds(100))
            .shouldFailOnError(true)
            .verbosity(VerboseMode.SILENT)
            .build();

    Collection<RunResult> results = new Runner(options).run();

    assertThat(results)
        .hasSize(20)
        .allSatisfy(result -> assertThat(result.getPrimaryResult().getScore()).isPositive());
  }
}

package dev.aquifer.testkit;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** What this machine is, and how a server is started on it. */
record Platform(String system, String architecture) {
  /** The platform of this JVM; refused when none of the servers' binaries run on it. */
  static Platform current() {
    return of(System.getProperty("os.name", ""), System.getProperty("os.arch", ""));
  }

  static Platform of(String osName, String osArchitecture) {
    String name = osName.toLowerCase(Locale.ROOT);
    String system = name.startsWith("linux") ? "Linux" : name.startsWith("mac") ? "Darwin" : "";
    String architecture =
        switch (osArchitecture) {
          case "amd64", "x86_64" -> "x86_64";
          case "aarch64", "arm64" -> "aarch64";
          default -> "";
        };
    if (system.isEmpty() || architecture.isEmpty()) {
      throw new TestkitException(
          "the test kit's servers run on Linux and macOS, on x86-64 and arm64; this JVM is on "
              + osName
              + ", "
              + osArchitecture
              + ". Run the tests in a Linux container or virtual machine.");
    }
    return new Platform(system, architecture);
  }

  boolean isLinux() {
    return system.equals("Linux");
  }

  /**
   * The command that starts a server as a process of its own session, so that a Ctrl-C on the
   * terminal reaches the JVM only and the JVM ends the server in order. All of it ends in an {@code
   * exec}: the process started is the server.
   *
   * <p>PostgreSQL refuses to run as root. In a user namespace without a mapping it sees itself as
   * nobody while the kernel still treats it as the user it is, so signals and files work as before.
   */
  List<String> serverCommand(List<String> command, boolean refusesRoot, Workspace workspace) {
    List<String> all = new ArrayList<>();
    onPath("setsid").ifPresent(setsid -> all.add(setsid.toString()));
    if (refusesRoot && workspace.ownedByRoot()) {
      Path unshare =
          onPath("unshare")
              .orElseThrow(
                  () ->
                      new TestkitException(
                          "PostgreSQL does not run as root, and the command unshare, which would"
                              + " hide that, is not on the PATH. Install util-linux or run the"
                              + " tests as another user."));
      all.add(unshare.toString());
      all.add("-U");
    }
    all.addAll(command);
    return all;
  }

  /** An executable file of that name in the folders of the PATH. */
  static Optional<Path> onPath(String name) {
    String path = System.getenv("PATH");
    if (path == null) {
      return Optional.empty();
    }
    for (String folder : path.split(File.pathSeparator, -1)) {
      Path candidate = Path.of(folder.isEmpty() ? "." : folder, name);
      if (Files.isRegularFile(candidate) && Files.isExecutable(candidate)) {
        return Optional.of(candidate);
      }
    }
    return Optional.empty();
  }
}

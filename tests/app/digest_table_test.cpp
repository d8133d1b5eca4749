// The table of digests, given builds that are shell scripts.
#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/process.hpp"

namespace rejoin {
namespace {

// What one build prints.
using Lines = std::string;

test::Finished table(const std::vector<Lines>& builds, const std::string& rows_min = "1") {
  const test::Scratch scratch;
  std::string list;
  for (std::size_t i = 0; i < builds.size(); ++i) {
    const std::string name = "build-" + std::to_string(i);
    const std::string program = scratch.write(name, "#!/bin/sh\ncat <<END\n" + builds[i] + "END\n");
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    list += name + "=" + program + "\n";
  }
  return test::run_program(REJOIN_BINARY_DIR "/rejoin_digest_table",
                           {scratch.write("builds", list), rows_min, "schedules"});
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

const Lines kTwo =
    "seed/t0-t5 1 00112233445566778899aabbccddeeff 6968 pass\n"
    "seed/t0-t5 2 11112233445566778899aabbccddeeff 7012 pass\n";

}  // namespace

TEST_CASE("builds that agree have a row each run, with the digest once and = for the others") {
  const test::Finished finished = table({kTwo, kTwo, kTwo});
  CHECK(finished.status == 0);
  CHECK(finished.out ==
        "schedule    seed  build-0                           events  verdict  build-1  build-2\n"
        "seed/t0-t5  1     00112233445566778899aabbccddeeff    6968  pass     =        =\n"
        "seed/t0-t5  2     11112233445566778899aabbccddeeff    7012  pass     =        =\n"
        "\n"
        "2 runs by 3 builds: all the same\n");
}

TEST_CASE("a digest that differs is shown and its row is marked") {
  const test::Finished finished =
      table({kTwo, kTwo,
             "seed/t0-t5 1 00112233445566778899aabbccddeeff 6968 pass\n"
             "seed/t0-t5 2 ff112233445566778899aabbccddeeff 7012 pass\n"});
  CHECK(finished.status == 3);
  CHECK(has(finished.out, "7012  pass     =        ff112233  <- differs\n"));
  CHECK(has(finished.out, "2 runs by 3 builds: 1 differ\n"));
  CHECK(has(finished.out, "rejoin run scenarios/seed/t0-t5.yaml --seed 2 --verify-with "));
}

TEST_CASE("runs that are absent, and other numbers of events and verdicts, are differences") {
  CHECK(table({kTwo, "seed/t0-t5 1 00112233445566778899aabbccddeeff 6968 pass\n"}).status == 3);
  CHECK(table({"seed/t0-t5 1 00112233445566778899aabbccddeeff 6968 pass\n", kTwo}).status == 3);
  CHECK(table({"a 1 00112233445566778899aabbccddeeff 6 pass\n",
               "a 1 00112233445566778899aabbccddeeff 7 pass\n"})
            .status == 3);
  CHECK(table({"a 1 00112233445566778899aabbccddeeff 6 pass\n",
               "a 1 00112233445566778899aabbccddeeff 6 fail\n"})
            .status == 3);
}

TEST_CASE("a build that is missing is a failure that names its packages, and nothing is run") {
  const test::Scratch scratch;
  const std::string list = scratch.write(
      "builds", "a=/bin/true\nb=/bin/true\naarch64!g++-aarch64-linux-gnu qemu-user\n");
  const test::Finished finished =
      test::run_program(REJOIN_BINARY_DIR "/rejoin_digest_table", {list, "0", "schedules"});
  CHECK(finished.status == 4);
  CHECK(has(finished.err, "there is no build aarch64: install g++-aarch64-linux-gnu qemu-user"));
  CHECK_FALSE(has(finished.err, "0 runs"));
}

TEST_CASE("a build that fails, and too few rows, are failures") {
  const test::Finished few = table({kTwo, kTwo}, "3");
  CHECK(few.status == 4);
  CHECK(has(few.out, "These are fewer than 3.\n"));
  const test::Scratch scratch;
  const std::string list = scratch.write("builds", "a=/bin/true\nb=/bin/false\n");
  const test::Finished failed =
      test::run_program(REJOIN_BINARY_DIR "/rejoin_digest_table", {list, "0", "schedules"});
  CHECK(failed.status == 4);
  CHECK(has(failed.err, "b failed: /bin/false"));
}

}  // namespace rejoin

#include "sim/app/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>

#include "model/params.hpp"
#include "sim/app/compare_words.hpp"
#include "sim/app/explore_words.hpp"
#include "sim/app/list.hpp"
#include "sim/app/outputs.hpp"

namespace rejoin::app {

namespace {

// As words: what they mean is checked here, so that the messages are ours.
struct Words {
  std::vector<std::string> files;
  std::string seed;
  std::vector<std::string> sets;
  std::string sync;
  bool no_expect = false;
  bool verify = false;
  std::string verify_with;
  bool bisect = false;  // see asks_to_bisect
  std::string trace;
  std::string from;
  std::string until;
  std::string format = "text";
  std::vector<std::string> outs;
  bool open = false;
  bool resolved = false;
  std::string kind;
  std::string name;
};

// `a, b or c`.
std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    out += (i == 0 ? "" : i + 1 == names.size() ? " or " : ", ") + names[i];
  }
  return out;
}

struct Parser {
  CLI::App app{"rejoin: replays cluster timelines, deterministically, and judges them", "rejoin"};
  CLI::App* run = nullptr;
  CLI::App* replay = nullptr;
  CLI::App* validate = nullptr;
  CLI::App* list = nullptr;
  CLI::App* schema = nullptr;
  CLI::App* fuzz = nullptr;
  CLI::App* shrink = nullptr;
  CLI::App* hunt = nullptr;
  CLI::App* compare = nullptr;
  CLI::Option* trace = nullptr;
  Words words;
  ExploreWords explore;
  CompareWords comparison;
};

void add_selection(CLI::App& command, Words& words) {
  command.add_option("FILE", words.files, "scenario files");
  command.add_option("--seed", words.seed, "instead of the file's seed");
  command.add_option("--set", words.sets, "PATH=VALUE: replaces a value of the file")
      ->allow_extra_args(false);
  command.add_option("--sync", words.sync,
                     "A or A+B: sync mechanisms, or presets of them, instead of the file's");
  command.add_flag("--no-expect", words.no_expect, "every violation is a failure");
}

void declare(Parser& parser) {
  Words& words = parser.words;
  parser.app.set_version_flag("--version", "rejoin " + std::string(kVersion));
  parser.run = parser.app.add_subcommand("run", "run scenario files");
  add_selection(*parser.run, words);
  parser.run->add_flag("--verify", words.verify, "replay in a second process and compare");
  parser.run->add_option("--verify-with", words.verify_with,
                         "PROGRAM: --verify with another build of rejoin, or of rejoin_digests");
  parser.run->add_flag("--bisect", words.bisect,
                       "for `git bisect run`: 1 if what a file was saved for shows, 125 if that "
                       "cannot be told");
  parser.trace = parser.run
                     ->add_option("--trace", words.trace,
                                  "print events; filter: node=, kind=, purpose=, key=, group=, "
                                  "or a word, joined by commas")
                     ->expected(0, 1);
  parser.run->add_option("--from", words.from, "virtual time at which the trace starts, as 30s");
  parser.run->add_option("--until", words.until, "virtual time at which the trace ends");
  parser.run->add_option("--format", words.format, "text or json");
  parser.run
      ->add_option("--out", words.outs,
                   "KIND[=FILE]: also write " + joined(out_kinds()) +
                       "; - is standard output, without =FILE it goes below results/")
      ->allow_extra_args(false);
  parser.run->add_flag("--open", words.open,
                       "show the page in a browser; writes it (--out html) if nothing else does");
  parser.replay = parser.app.add_subcommand("replay-steps", "")->group("");
  parser.replay->add_flag("--no-expect", words.no_expect, "");
  parser.validate = parser.app.add_subcommand("validate", "check scenario files");
  parser.validate->add_option("FILE", words.files, "scenario files");
  parser.validate->add_flag("--resolved", words.resolved, "print the merged file");
  parser.list = parser.app.add_subcommand("list", "what can be named in a scenario file");
  parser.list->add_option("KIND", words.kind, kinds_text());
  parser.list->add_option("NAME", words.name, "one of that kind alone");
  parser.schema = parser.app.add_subcommand("schema", "the JSON Schema of scenario files");
  parser.fuzz =
      parser.app.add_subcommand("fuzz", "search seeds for failures, save and shrink them");
  add_selection(*parser.fuzz, words);
  declare_fuzz(*parser.fuzz, parser.explore);
  parser.fuzz
      ->add_option("--out", words.outs,
                   "KIND[=FILE]: also write text, json, jsonl, junit, github or html; - is "
                   "standard output, without =FILE it goes where failures are kept")
      ->allow_extra_args(false);
  parser.fuzz->add_flag("--open", words.open,
                        "show the page in a browser; writes it (--out html) if nothing else does");
  parser.shrink =
      parser.app.add_subcommand("shrink", "the smallest file that fails in the same way");
  add_selection(*parser.shrink, words);
  declare_shrink(*parser.shrink, parser.explore);
  parser.hunt = parser.app.add_subcommand("hunt", "count the seeds that find each planted bug");
  declare_hunt(*parser.hunt, parser.explore);
  parser.compare = parser.app.add_subcommand(
      "compare", "the same scenario and seeds under several strategies: costs and promises");
  parser.compare->add_option("FILE", words.files, "the scenario file");
  parser.compare->add_option("--set", words.sets, "PATH=VALUE: replaces a value of the file")
      ->allow_extra_args(false);
  declare_compare(*parser.compare, parser.comparison);
  parser.compare->add_flag(
      "--open", words.open,
      "show the page in a browser; writes it (--out html) if nothing else does");
  for (CLI::App* command : {parser.run, parser.replay, parser.validate, parser.list, parser.schema,
                            parser.fuzz, parser.shrink, parser.hunt, parser.compare}) {
    command->allow_extras();
  }
}

std::vector<std::string> visible_commands(const Parser& parser) {
  std::vector<std::string> names;
  for (const CLI::App* command : parser.app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!command->get_group().empty()) names.push_back(command->get_name());
  }
  return names;
}

bool is_command(const CLI::App& app, const std::string& name) {
  const auto all = app.get_subcommands([](const CLI::App*) { return true; });
  return std::any_of(all.begin(), all.end(),
                     [&name](const CLI::App* command) { return command->check_name(name); });
}

// The first word that no flag or argument took, if any.
std::optional<std::string> complain_of_extra(const CLI::App& command) {
  const std::vector<std::string> extras = command.remaining();
  if (extras.empty()) return std::nullopt;
  const std::string name = "`rejoin " + command.get_name() + "`";
  if (!extras.front().starts_with("-")) {
    return error_text(name + " does not know what to do with `" + extras.front() + "`",
                      "rejoin " + command.get_name() + " --help");
  }
  std::vector<std::string> known;
  for (const CLI::Option* option : command.get_options()) {
    if (!option->get_lnames().empty()) known.push_back("--" + option->get_lnames().front());
  }
  const std::string given = extras.front().substr(0, extras.front().find('='));
  return error_text(name + " has no flag `" + given + "`", hint_of(given, known, "flags"));
}

// A number; or the hash of a commit, whose first digits are one, so that each commit of a
// continuous integration searches elsewhere and can be searched again.
std::optional<std::uint64_t> seed_of(std::string_view text) {
  const auto number = [](std::string_view digits, int base) -> std::optional<std::uint64_t> {
    std::uint64_t out = 0;
    const auto [at, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), out, base);
    if (error != std::errc{} || at != digits.data() + digits.size()) return std::nullopt;
    return out;
  };
  if (const auto seed = number(text, 10)) return seed;
  constexpr std::size_t kShortest = 7;
  constexpr std::size_t kWhole = 40;   // of SHA-1
  constexpr std::size_t kDigits = 12;  // so that there are seeds enough behind it
  const auto only = [text](const char* characters) {
    return text.find_first_not_of(characters) == std::string_view::npos;
  };
  // A number that is too large is a mistake, unless it is as long as a hash.
  const bool is_hash = text.size() >= kShortest && text.size() <= kWhole &&
                       only("0123456789abcdefABCDEF") &&
                       (text.size() == kWhole || !only("0123456789"));
  if (!is_hash) return std::nullopt;
  return number(text.substr(0, kDigits), 16);
}

tl::expected<Selection, std::string> selection_of(Words& words, const CLI::App& command) {
  Selection out{.files = std::move(words.files), .expectations = !words.no_expect};
  if (out.files.empty()) {
    return tl::unexpected(
        error_text("`rejoin " + command.get_name() + "` needs a scenario file",
                   "rejoin " + command.get_name() + " scenarios/seed/t0-t5.yaml"));
  }
  const auto has = [&command](const char* flag) {
    return command.get_option_no_throw(flag) != nullptr && command.count(flag) != 0;
  };
  if (has("--seed")) {
    out.seed = seed_of(words.seed);
    if (!out.seed) {
      return tl::unexpected(error_text("--seed: `" + words.seed + "` is not a seed",
                                       "a whole number from 0 to 18446744073709551615, or the hash "
                                       "of a commit"));
    }
  }
  for (const std::string& set : words.sets) {
    const std::size_t equals = set.find('=');
    if (equals == std::string::npos || equals == 0) {
      return tl::unexpected(error_text("--set: `" + set + "` is not PATH=VALUE",
                                       "as in --set timeline.T4.after=20s"));
    }
    out.overrides.push_back({.path = set.substr(0, equals), .value = set.substr(equals + 1)});
  }
  if (has("--sync")) out.sync = words.sync;
  return out;
}

tl::expected<MonotonicTime, std::string> time_of(std::string_view flag, const std::string& text,
                                                 MonotonicTime otherwise) {
  if (text.empty()) return otherwise;
  const auto duration = parse_duration(text);
  if (duration) return MonotonicTime(*duration);
  return tl::unexpected(error_text(std::string(flag) + ": `" + text + "` is not a virtual time",
                                   "a duration such as 20s or 1h30m, from the start of the run"));
}

bool names_a_file(const std::string& word) {
  return word.ends_with(".yaml") || word.ends_with(".yml");
}

tl::expected<OutRequest, std::string> out_of(const std::string& word) {
  const std::size_t equals = word.find('=');
  const std::string kind = word.substr(0, equals);
  const auto known = out_kind_of(kind);
  if (!known) {
    return tl::unexpected(
        error_text("--out: there is no kind `" + kind + "`", hint_of(kind, out_kinds(), "kinds")));
  }
  OutRequest out{.kind = *known};
  if (equals != std::string::npos) out.file = word.substr(equals + 1);
  if (out.file && out.file->empty()) {
    return tl::unexpected(error_text("--out: `" + word + "` names no file",
                                     "as in --out " + kind + "=FILE, or --out " + kind));
  }
  return out;
}

tl::expected<std::vector<OutRequest>, std::string> outs_of(const Words& words, bool format_given) {
  std::vector<OutRequest> out;
  for (const std::string& word : words.outs) {
    const auto request = out_of(word);
    if (!request) return tl::unexpected(request.error());
    const auto same = std::find_if(out.begin(), out.end(), [&](const OutRequest& other) {
      return other.file == request->file && (request->file || other.kind == request->kind);
    });
    if (same != out.end()) {
      const std::string where = !request->file          ? "below results/"
                                : *request->file == "-" ? "on standard output"
                                                        : "in `" + *request->file + "`";
      return tl::unexpected(error_text("--out: two reports " + where + ": " +
                                       std::string(to_name(same->kind)) + " and " +
                                       std::string(to_name(request->kind))));
    }
    if (request->file == "-" && format_given) {
      return tl::unexpected(
          error_text("--out " + word + " and --format both say what goes to standard output",
                     "leave out --format"));
    }
    out.push_back(*request);
  }
  return out;
}

// --open asks for a page, if nothing else does. The error says why there can be none.
template <class Request, class Kind>
std::optional<std::string> ask_for_page(std::vector<Request>& outputs, Kind html) {
  const auto page = std::find_if(outputs.begin(), outputs.end(),
                                 [html](const Request& each) { return each.kind == html; });
  if (page == outputs.end()) {
    outputs.push_back({.kind = html});
  } else if (page->file == "-") {
    return error_text("--open cannot show a page that goes to standard output",
                      "--out html=FILE, or --out html");
  }
  return std::nullopt;
}

tl::expected<Command, std::string> run_of(Parser& parser) {
  Words& words = parser.words;
  RunCommand out;
  if (parser.trace->count() != 0) {
    const std::vector<std::string>& given = parser.trace->results();
    out.trace = given.empty() || given.back() == "true" ? "" : given.back();
    // `--trace FILE`: nobody filters by a file's name, so it is the file.
    if (names_a_file(*out.trace)) {
      words.files.push_back(*out.trace);
      out.trace = "";
    }
  }
  auto selection = selection_of(words, *parser.run);
  if (!selection) return tl::unexpected(selection.error());
  out.selection = std::move(*selection);
  out.bisect = words.bisect;
  out.verify = words.verify || !words.verify_with.empty();
  out.verify_with = words.verify_with;
  const auto from = time_of("--from", words.from, out.trace_from);
  if (!from) return tl::unexpected(from.error());
  const auto until = time_of("--until", words.until, out.trace_until);
  if (!until) return tl::unexpected(until.error());
  out.trace_from = *from;
  out.trace_until = *until;
  if ((!words.from.empty() || !words.until.empty()) && !out.trace) {
    return tl::unexpected(error_text("--from and --until bound a trace", "add --trace"));
  }
  if (words.format != "text" && words.format != "json") {
    return tl::unexpected(error_text("--format: there is no format `" + words.format + "`",
                                     hint_of(words.format, {"text", "json"}, "formats")));
  }
  out.format = words.format == "json" ? Format::json : Format::text;
  auto outs = outs_of(words, parser.run->count("--format") != 0);
  if (!outs) return tl::unexpected(outs.error());
  out.outputs = *std::move(outs);
  out.open = words.open;
  if (const auto wrong = out.open ? ask_for_page(out.outputs, OutKind::html) : std::nullopt) {
    return tl::unexpected(*wrong);
  }
  return out;
}

// Of a command whose pages may be opened.
template <class Chosen, class Kind>
tl::expected<Command, std::string> with_open(tl::expected<Command, std::string> command, bool open,
                                             Kind html) {
  if (!command || !open) return command;
  auto& chosen = std::get<Chosen>(*command);
  chosen.open = true;
  if (const auto wrong = ask_for_page(chosen.outputs, html)) return tl::unexpected(*wrong);
  return command;
}

tl::expected<Command, std::string> command_of(Parser& parser) {
  CLI::App* const chosen = parser.app.get_subcommands().front();
  if (const auto complaint = complain_of_extra(*chosen)) return tl::unexpected(*complaint);
  if (chosen == parser.run) return run_of(parser);
  if (chosen == parser.list)
    return ListCommand{.kind = parser.words.kind, .name = parser.words.name};
  if (chosen == parser.schema) return SchemaCommand{};
  if (chosen == parser.hunt) return hunt_of(parser.explore);
  if (chosen == parser.compare) {
    auto selection = selection_of(parser.words, *chosen);
    if (!selection) return tl::unexpected(selection.error());
    return with_open<CompareCommand>(compare_of(*std::move(selection), parser.comparison),
                                     parser.words.open, CompareOutKind::html);
  }
  if (chosen == parser.fuzz || chosen == parser.shrink) {
    auto selection = selection_of(parser.words, *chosen);
    if (!selection) return tl::unexpected(selection.error());
    if (chosen == parser.shrink) return shrink_of(*std::move(selection), parser.explore);
    return with_open<FuzzCommand>(fuzz_of(*std::move(selection), parser.explore, parser.words.outs),
                                  parser.words.open, CampaignOutKind::html);
  }
  if (chosen == parser.replay) return ReplayCommand{.expectations = !parser.words.no_expect};
  if (parser.words.files.empty()) {
    return tl::unexpected(error_text("`rejoin validate` needs a scenario file",
                                     "rejoin validate scenarios/seed/t0-t5.yaml"));
  }
  return ValidateCommand{.files = std::move(parser.words.files), .resolved = parser.words.resolved};
}

}  // namespace

bool asks_to_bisect(const std::vector<std::string>& words) {
  return !words.empty() && words.front() == "run" &&
         std::find(words.begin(), words.end(), "--bisect") != words.end();
}

tl::expected<Command, std::string> parse_command_line(const std::vector<std::string>& words) {
  Parser parser;
  declare(parser);
  const std::vector<std::string> commands = visible_commands(parser);
  if (words.empty()) {
    return tl::unexpected(
        error_text("`rejoin` needs a command", hint_of("", commands, "commands")));
  }
  const std::string& first = words.front();
  if (first.starts_with("-")) {
    const std::vector<std::string> known = {"-h", "--help", "--version"};
    if (std::find(known.begin(), known.end(), first) == known.end()) {
      return tl::unexpected(error_text("`rejoin` has no flag `" + first + "`",
                                       hint_of(first, {"--help", "--version"}, "flags")));
    }
  } else if (!is_command(parser.app, first)) {
    return tl::unexpected(error_text("`rejoin` has no command `" + first + "`",
                                     hint_of(first, commands, "commands")));
  }
  try {
    std::vector<std::string> reversed(words.rbegin(), words.rend());  // as CLI11 wants them
    parser.app.parse(reversed);
  } catch (const CLI::CallForVersion& version) {
    return PrintCommand{.text = std::string(version.what()) + "\n"};
  } catch (const CLI::Success&) {
    return PrintCommand{.text = parser.app.help()};
  } catch (const CLI::ParseError& error) {
    return tl::unexpected(error_text(error.what(), "rejoin " + first + " --help"));
  }
  return command_of(parser);
}

}  // namespace rejoin::app

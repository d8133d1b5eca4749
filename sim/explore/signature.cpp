#include "sim/explore/signature.hpp"

#include <algorithm>
#include <cctype>

#include "model/hash.hpp"

namespace rejoin::sim {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
// Of a number with its unit, and of what names are made of.
bool is_in_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// `"x"` is left of whatever is quoted, `#` of whatever begins with a digit: `client-#/#`, `#`.
std::string without_names(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    const std::size_t closing = c == '"' ? text.find('"', at + 1) : std::string_view::npos;
    if (closing != std::string_view::npos) {
      out += "\"x\"";
      at = closing + 1;
    } else if (is_digit(c) && (at == 0 || !is_in_word(text[at - 1]))) {
      out += '#';
      const auto in_number = [&](std::size_t i) {
        const bool point = text[i] == '.' && i + 1 < text.size() && is_digit(text[i + 1]);
        return is_in_word(text[i]) || point;
      };
      while (at < text.size() && in_number(at)) ++at;
    } else {
      out += c;
      ++at;
    }
  }
  return out;
}

// `a, a and a` is as much of a list as `a`.
std::string without_repeats(std::string text) {
  for (const std::string_view between : {std::string_view(" and "), std::string_view(", ")}) {
    for (std::size_t at = text.find(between); at != std::string::npos;
         at = text.find(between, at + 1)) {
      const std::size_t next = at + between.size();
      std::size_t length = 0;  // of the word behind, if it is a name
      while (next + length < text.size() && text[next + length] != ' ' &&
             text[next + length] != ',') {
        ++length;
      }
      const std::string_view word = std::string_view(text).substr(next, length);
      const bool is_name = word.find('#') != std::string_view::npos;
      if (!is_name || at < length || text.compare(at - length, length, word) != 0) continue;
      text.erase(at, between.size() + length);
      at = at < 2 ? 0 : at - 2;
    }
  }
  return text;
}

// `# keys` and `# key` are the same.
std::string without_plurals(std::string text) {
  for (std::size_t at = text.find("# "); at != std::string::npos; at = text.find("# ", at + 1)) {
    std::size_t end = at + 2;
    while (end < text.size() && is_in_word(text[end])) ++end;
    if (end - at > 3 && text[end - 1] == 's') text.erase(end - 1, 1);
  }
  return text;
}

void replace_word(std::string& text, std::string_view word, std::string_view by) {
  if (word.empty()) return;
  for (std::size_t at = text.find(word); at != std::string::npos;
       at = text.find(word, at + by.size())) {
    const bool begins = at == 0 || !is_in_word(text[at - 1]);
    const bool ends = at + word.size() == text.size() || !is_in_word(text[at + word.size()]);
    if (begins && ends) text.replace(at, word.size(), by);
  }
}

void add_once(std::vector<Signature>& all, Signature one) {
  if (std::find(all.begin(), all.end(), one) == all.end()) all.push_back(std::move(one));
}

}  // namespace

Signature signature_of(const Violation& violation) {
  std::string says = violation.says;
  replace_word(says, violation.key, "KEY");
  return {.what = violation.invariant, .role = violation.role, .shape = shape_of(says)};
}

bool is_of_cut_end(const Violation& violation, const RunRecord& record) {
  return record.verdict == Verdict::unbounded && violation.at >= record.virtual_end &&
         violation.event >= record.events;
}

std::string shape_of(std::string_view sentence) {
  return without_plurals(without_repeats(without_names(sentence)));
}

std::string to_text(const Signature& signature) {
  std::string out = signature.what;
  if (!signature.role.empty()) out += ", " + signature.role + " node";
  if (!signature.shape.empty()) out += ": " + signature.shape;
  return out;
}

std::string to_slug(const Signature& signature) {
  std::string out = signature.what;
  if (!signature.role.empty()) out += "-" + signature.role;
  constexpr std::string_view kDigits = "0123456789abcdef";
  constexpr int kShown = 8;
  const std::uint64_t hash = hash64(to_text(signature));
  out += '-';
  for (int i = 0; i < kShown; ++i) out += kDigits[hash >> (60 - 4 * i) & 15U];
  return out;
}

std::vector<Signature> signatures_of(const RunRecord& record) {
  std::vector<Signature> out;
  if (record.verdict == Verdict::pass || record.verdict == Verdict::vacuous) return out;
  for (const Violation& violation : record.violations) {
    const bool counts_others = violation.node.is_none() && violation.evidence.empty() &&
                               violation.says.starts_with("and ");
    if (violation.expected || counts_others || is_of_cut_end(violation, record)) continue;
    add_once(out, signature_of(violation));
  }
  for (const std::string& missed : record.unmet) {
    const bool step = missed.find(" never fired") != std::string::npos;
    add_once(out, step ? Signature{.what = "step-never-fired", .role = {}, .shape = {}}
                       : Signature{.what = "unmet", .role = {}, .shape = shape_of(missed)});
  }
  if (record.verdict == Verdict::unbounded) {
    add_once(out, {.what = "unbounded", .role = {}, .shape = {}});
  }
  return out;
}

Signature crash_signature(std::string_view last_words, std::string_view ending) {
  // The line that says why, wherever a log or a backtrace leaves it; else the last one.
  constexpr std::string_view kReasons[] = {"CHECK failed",
                                           "rejoin: ", "SUMMARY: ", "what():", "Assertion"};
  std::string_view last;
  std::string_view reason;
  while (!last_words.empty()) {
    const std::string_view line = last_words.substr(0, last_words.find('\n'));
    last_words.remove_prefix(std::min(last_words.size(), line.size() + 1));
    if (line.empty()) continue;
    last = line;
    const bool says_why = std::any_of(
        std::begin(kReasons), std::end(kReasons),
        [line](std::string_view word) { return line.find(word) != std::string_view::npos; });
    if (says_why && reason.empty()) reason = line;
  }
  if (reason.empty()) reason = last.empty() ? ending : last;
  return {.what = "crash", .role = {}, .shape = shape_of(reason)};
}

}  // namespace rejoin::sim

#include "sim/scenario/schema_values.hpp"

#include <algorithm>

#include "sim/scenario/selectors.hpp"

namespace rejoin::sim::schema {

namespace {

constexpr std::string_view kNumber = "[0-9]+(\\.[0-9]+)?";

std::string join(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) out += part;
  return out;
}

// Units in falling order, each once, at least one of them.
std::string duration_pattern() {
  std::string out = "(?=[0-9])";
  for (const char* unit : {"d", "h", "m", "s", "ms", "us", "ns"}) {
    out += join({"(", std::string(kNumber), unit, ")?"});
  }
  return out;
}

Json text_matching(const std::string& pattern, std::vector<std::string> examples) {
  Json out = {{"type", "string"}, {"pattern", "^" + pattern + "$"}};
  out["examples"] = std::move(examples);
  return out;
}

Json or_pick(std::vector<Json> alternatives) {
  Json out;
  out["anyOf"] = Json::array();
  for (Json& each : alternatives) out["anyOf"].push_back(std::move(each));
  out["anyOf"].push_back(ref("pick"));
  return out;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '(' || c == ')' || c == '.') out += '\\';
    out += c;
  }
  return out;
}

std::string selector_pattern() {
  std::string out = "(";
  for (const SelectorForm& form : selector_forms()) {
    if (out.size() > 1) out += "|";
    const std::string_view text = form.text;
    if (form.argument.empty()) {
      out += text;
    } else if (const std::size_t open = text.find('('); open != std::string_view::npos) {
      out += escaped(text.substr(0, open + 1));
      out += form.argument == "count"  ? "[1-9][0-9]*"
             : form.argument == "node" ? "node-[1-9][0-9]*"
                                       : "[^)]+";
      out += "\\)";
    } else {
      out += join({std::string(text.substr(0, text.rfind('-') + 1)), "[1-9][0-9]*"});
    }
  }
  return out + ")";
}

std::string_view definition_of(ParamType type) {
  switch (type) {
    case ParamType::flag:
      return "flag";
    case ParamType::integer:
      return "integer";
    case ParamType::duration:
      return "duration";
    case ParamType::duration_range:
      return "range";
    case ParamType::size:
      return "size";
    case ParamType::share:
      return "share";
    case ParamType::choice:
    case ParamType::text:
      return "text";
    case ParamType::node:
      return "node";
    case ParamType::hosts:
      return "hosts";
    case ParamType::host_sets:
      return "host-sets";
    case ParamType::offset:
      return "offset";
    case ParamType::rate:
      return "rate";
    case ParamType::latency:
      return "latency";
  }
  return "text";
}

}  // namespace

std::string spelled(std::string_view name) {
  std::string out(name);
  std::replace(out.begin(), out.end(), '_', '-');
  return out;
}

Json ref(std::string_view definition) {
  return {{"$ref", "#/definitions/" + std::string(definition)}};
}

// Draft 7 ignores what stands beside a `$ref`.
Json described(Json schema, std::string_view help) {
  if (help.empty()) return schema;
  Json out = {{"description", std::string(help)}};
  if (schema.contains("$ref")) {
    out["allOf"] = Json::array({std::move(schema)});
  } else if (schema.is_object()) {
    out.update(schema);
  }  // else it is `true`: anything
  return out;
}

Json one_of(std::vector<std::string> values) {
  Json names = Json::array();
  for (const std::string& value : values) {
    names.push_back(value);
    // YAML reads these as booleans.
    if (value == "true" || value == "false") names.push_back(value == "true");
  }
  return or_pick({{{"enum", std::move(names)}}});
}

Json list_of(Json item) {
  return {{"type", "array"}, {"items", std::move(item)}};
}

Json map_of(std::vector<std::pair<std::string, Json>> keys,
            const std::vector<std::string>& required) {
  Json properties = Json::object();
  for (auto& [key, schema] : keys) properties[key] = std::move(schema);
  Json out = {{"type", "object"}, {"properties", std::move(properties)}};
  if (!required.empty()) out["required"] = required;
  out["patternProperties"] = {{"^x-", true}};
  out["additionalProperties"] = false;
  return out;
}

Json of(const ParamSpec& spec) {
  std::string help(spec.help);
  if (!spec.unit.empty()) help += ", in " + std::string(spec.unit);
  Json out = spec.type == ParamType::choice ? one_of({spec.choices.begin(), spec.choices.end()})
                                            : ref(definition_of(spec.type));
  // `none` stands for no hosts where that is the default.
  if (spec.fallback == "none" && spec.type != ParamType::choice) {
    out = {{"anyOf", Json::array({std::move(out), {{"const", "none"}}})}};
  }
  if (!spec.fallback.empty()) help += " (default: " + std::string(spec.fallback) + ")";
  return described(std::move(out), help);
}

Json of(const Field& field) {
  Json out = ref(definition_of(field.type));
  if (field.type == ParamType::choice) {
    out = one_of({field.choices.begin(), field.choices.end()});
  } else if (field.type == ParamType::integer) {
    Json number = {{"type", "integer"}, {"minimum", field.bounds.least}};
    if (field.bounds.most != Bounds{}.most) number["maximum"] = field.bounds.most;
    out = or_pick({std::move(number)});
  } else if (field.type == ParamType::hosts) {
    out = {{"anyOf", Json::array({std::move(out), {{"const", "none"}}})}};
  }
  return described(std::move(out), field.help);
}

Json of_params(const std::vector<ParamSpec>& specs, bool complete) {
  std::vector<std::pair<std::string, Json>> keys;
  std::vector<std::string> required;
  for (const ParamSpec& spec : specs) {
    keys.emplace_back(spelled(spec.name), of(spec));
    if (complete && spec.fallback.empty()) required.push_back(spelled(spec.name));
  }
  return map_of(std::move(keys), required);
}

std::vector<std::pair<std::string, Json>> definitions() {
  const std::string number(kNumber);
  const std::string duration = duration_pattern();
  const Json selector = text_matching(selector_pattern(), {"node-3", "leader", "owner(key-7)"});
  const Json chosen = {{"anyOf", Json::array({{{"type", "string"}, {"pattern", "\\.\\."}},
                                              {{"type", "array"}, {"minItems", 1}}})}};
  Json pick = {{"description", "chosen once for a run, by the seed: a range, or one of a list"},
               {"type", "object"},
               {"properties", {{"pick", chosen}}},
               {"required", {"pick"}},
               {"additionalProperties", false}};
  return {
      {"pick", std::move(pick)},
      {"flag", or_pick({{{"type", "boolean"}}})},
      {"integer", or_pick({{{"type", "integer"}, {"minimum", 0}}})},
      {"duration", or_pick({text_matching(duration, {"20s", "1h30m", "250us"})})},
      {"range",
       or_pick({text_matching(join({duration, "(\\.\\.", duration, ")?"}), {"150ms..300ms"})})},
      {"size", or_pick({text_matching(join({number, "(TiB|TB|GiB|GB|MiB|MB|KiB|kB|B)"}),
                                      {"64KiB", "100MB"})})},
      {"share", or_pick({text_matching(join({number, "%"}), {"10%", "0.5%"}),
                         {{"type", "number"}, {"minimum", 0}, {"maximum", 1}}})},
      {"offset", or_pick({text_matching(join({"[+-]?", duration}), {"-5s", "+250ms"})})},
      {"rate",
       or_pick({text_matching(join({"[+-]?(", number, "%?|[0-9]+ppm)"}), {"+200ppm", "-1%"}),
                {{"type", "number"}, {"exclusiveMinimum", -1}, {"maximum", 1}}})},
      {"text", or_pick({{{"type", {"string", "number", "boolean"}}}})},
      {"node", or_pick({text_matching("(node-[1-9][0-9]*)", {"node-3"})})},
      {"host", or_pick({selector})},
      {"hosts",
       {{"anyOf", Json::array({ref("host"),
                               {{"type", "array"}, {"items", ref("host")}, {"minItems", 1}}})}}},
      {"host-sets",
       {{"type", "array"},
        {"minItems", 1},
        {"items", {{"type", "array"}, {"items", ref("host")}, {"minItems", 1}}}}},
  };
}

}  // namespace rejoin::sim::schema

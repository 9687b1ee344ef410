// SPDX-License-Identifier: MIT
#include "envelope/link.h"

#include <algorithm>
#include <charconv>

#include "envelope/catalog.h"
#include "envelope/version.h"

namespace envelope {
namespace {

constexpr std::size_t kLongest = 65536;    // bytes read of a link
constexpr std::size_t kMostProblems = 50;  // a page of noise is one notice, not a thousand

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// Bytes of the UTF-8 character at the front, 0 if there is none (RFC 3629: no overlong forms, no
/// surrogates).
std::size_t utf8_size(std::string_view s) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || s.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i)
    if ((byte(i) & 0xc0) != 0x80) return 0;
  if (first == 0xe0 && byte(1) < 0xa0) return 0;
  if (first == 0xed && byte(1) > 0x9f) return 0;
  if (first == 0xf0 && byte(1) < 0x90) return 0;
  if (first == 0xf4 && byte(1) > 0x8f) return 0;
  return size;
}

/// Problems quote what was typed and go out as JSON, so the text must be UTF-8.
std::string utf8_of(std::string_view s) {
  std::string out;
  while (!s.empty()) {
    const std::size_t size = utf8_size(s);
    out += size ? s.substr(0, size) : "\ufffd";
    s.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return out;
}

int hex(char c) {
  if (is_digit(c)) return c - '0';
  const std::size_t letter = std::string_view("abcdefABCDEF").find(c);
  return letter == std::string_view::npos ? -1 : 10 + static_cast<int>(letter % 6);
}

/// One layer of percent-encoding off; false when there was none.
bool percent_decode(std::string& s) {
  std::string out;
  for (std::size_t i = 0; i < s.size(); ++i) {
    const bool encoded =
        s[i] == '%' && i + 2 < s.size() && hex(s[i + 1]) >= 0 && hex(s[i + 2]) >= 0;
    out += encoded ? static_cast<char>(hex(s[i + 1]) * 16 + hex(s[i + 2])) : s[i];
    if (encoded) i += 2;
  }
  const bool changed = out.size() != s.size();
  s = std::move(out);
  return changed;
}

/// Twice, since mail scanners and chats encode once more what is encoded already. A third layer is
/// nobody's link.
void percent_decode_twice(std::string& s) {
  if (percent_decode(s)) percent_decode(s);
}

/// The ends that sentences, Markdown and quotes leave on a link. A percent sign (`40%`) and a
/// superscript (`10²⁵`) are part of a value: without them it would be another number.
void strip_end(std::string& s) {
  constexpr std::string_view kSuperscripts[] = {"¹", "²", "³", "⁰", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  while (!s.empty() && !is_word(s.back())) {
    if (s.back() == '%' && s.size() > 1 && is_digit(s[s.size() - 2])) return;
    for (const std::string_view digit : kSuperscripts)
      if (s.ends_with(digit)) return;
    s.pop_back();
  }
}

/// The words of the page itself (what an embed shows) and those that others append to addresses.
bool is_foreign(std::string_view key) {
  constexpr std::string_view kKeys[] = {"view",    "edit",    "theme",  "ref",    "ref_src",
                                        "ref_url", "secret",  "igsh",   "igshid", "mc_cid",
                                        "mc_eid",  "si",      "_ga",    "_gl",    "_hsenc",
                                        "_hsmi",   "mkt_tok", "gbraid", "wbraid"};
  return key.starts_with("utm_") || key.ends_with("clid") ||
         std::find(std::begin(kKeys), std::end(kKeys), key) != std::end(kKeys);
}

void trim(std::string& s, std::string_view characters) {
  s.erase(0, s.find_first_not_of(characters));
  s.resize(s.find_last_not_of(characters) + 1);
}

struct Pair {
  std::string key, value;
  bool has_value = false;
};

std::vector<Pair> pairs_of(std::string text) {
  percent_decode_twice(text);
  text = utf8_of(text);
  strip_end(text);
  const char separator = text.find('&') == std::string::npos ? ';' : '&';
  std::vector<Pair> pairs;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view part = rest.substr(0, rest.find(separator));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    const std::size_t equals = part.find('=');
    Pair pair{std::string(part.substr(0, equals)), "", equals != std::string_view::npos};
    if (pair.has_value) pair.value = part.substr(equals + 1);
    // `#?`, `#/` and `#!` are how others start a fragment; spaces come from broken lines.
    trim(pair.key, " ?/!");
    trim(pair.value, " ");
    // A query turns the plus of 1e+12 into a space.
    for (std::size_t i = 1; i + 2 < pair.value.size(); ++i)
      if ((pair.value[i] == 'e' || pair.value[i] == 'E') && is_digit(pair.value[i - 1]) &&
          pair.value[i + 1] == ' ' && is_digit(pair.value[i + 2]))
        pair.value.erase(i + 1, 1);
    if (is_foreign(lower_case(pair.key)) || (pair.key.empty() && pair.value.empty())) continue;
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

/// The part of an address that holds the scenario: the fragment; the query where platforms drop
/// fragments; or the text itself.
std::vector<Pair> pairs_of_address(std::string text) {
  // Line breaks inside an address mean nothing (the URL standard drops them too).
  text.erase(std::remove_if(text.begin(), text.end(),
                            [](char c) { return c == '\n' || c == '\r' || c == '\t'; }),
             text.end());
  // Before the fragment is looked for, as some of these contain its sign. What was escaped twice is
  // &amp;amp;, which becomes &amp; and is found again.
  for (const std::string_view entity : {"&#038;", "&#38;", "&#x26;", "&amp;"})
    for (std::size_t i = 0; (i = text.find(entity, i)) != std::string::npos;)
      text.replace(i, entity.size(), "&");
  // An encoded # hides the fragment. In a query it would belong to a value.
  const bool has_query = text.find('?') != std::string::npos && text.find('=') != std::string::npos;
  if (text.find('#') == std::string::npos && !has_query) percent_decode_twice(text);

  const auto has_values = [](const std::vector<Pair>& pairs) {
    return std::any_of(pairs.begin(), pairs.end(), [](const Pair& p) { return p.has_value; });
  };
  const std::size_t hash = text.find('#');
  std::vector<Pair> fragment;
  if (hash != std::string::npos) {
    std::string inside = text.substr(hash + 1);
    inside.resize(std::min(inside.size(), inside.find('#')));
    inside.resize(std::min(inside.size(), inside.find(":~:")));
    fragment = pairs_of(std::move(inside));
    text.resize(hash);
    if (has_values(fragment)) return fragment;
  }
  const std::size_t query = text.find('?');
  const bool is_address = query != std::string::npos || hash != std::string::npos ||
                          text.find("://") != std::string::npos || text.starts_with("/");
  if (query == std::string::npos && is_address) return fragment;
  std::vector<Pair> pairs = pairs_of(query == std::string::npos ? text : text.substr(query + 1));
  return has_values(pairs) || fragment.empty() ? pairs : fragment;
}

/// The field meant by a word that is nobody's key: by key, by path or by the end of a path
/// (`gpus`, `global_batch`). Null when nothing is near.
const Field* nearest(std::string_view word) {
  if (word.size() > 40) return nullptr;
  const Field* best = nullptr;
  std::size_t least = word.size() / 3 + 1;  // one edit in three letters
  for (const Field& f : fields())
    for (const std::string_view name : {f.key, f.path, f.path.substr(f.path.find('.') + 1)}) {
      // The lengths alone rule most out.
      if (name.size() >= word.size() + least || word.size() >= name.size() + least) continue;
      const std::size_t d = edit_distance(word, name);
      if (d >= least || d >= name.size()) continue;
      least = d;
      best = &f;
    }
  return best;
}

/// A metric in the letters of a link: `cost.per-million-tokens`; a capital has a dash before it.
std::string in_link(std::string_view id) {
  std::string out;
  for (const char c : id) {
    const bool capital = c >= 'A' && c <= 'Z';
    if (capital || c == '_') out += '-';
    if (c != '_') out += capital ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}

struct Reader {
  Link link;
  std::size_t more = 0;  // problems left out

  void problem(std::string path, Severity severity, std::string_view code, std::string message,
               std::string hint, std::string value) {
    if (link.problems.size() >= kMostProblems) {
      ++more;
      return;
    }
    link.problems.push_back(
        {std::move(path), severity, code, std::move(message), std::move(hint), std::move(value)});
  }

  Patch& patch(char scope) {
    if (scope == 'a') return link.patch;
    for (auto& [letter, patch] : link.compare)
      if (letter == scope) return patch;
    return link.compare.emplace_back(scope, Patch()).second;
  }

  void version(const std::string& text) {
    int v = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
    if (error != std::errc() || end != text.data() + text.size() || v < 1) {
      problem("v", Severity::warning, "bad_version",
              "v=" + quoted(text) + " is not a version of the defaults; version 1 is used.",
              "Write v=1.", text);
    } else if (v > kDefaultsVersion) {
      problem("v", Severity::warning, "newer_version",
              "The link was made with version " + text + " of the defaults; this is version " +
                  std::to_string(kDefaultsVersion) + ", so figures may differ.",
              "Reload the page or update the program.", text);
    }
  }

  void unknown(const Pair& pair, std::string_view scope, std::string_view name) {
    const Field* near = link.problems.size() < kMostProblems ? nearest(name) : nullptr;
    problem(pair.key, Severity::error, "unknown_field",
            quoted(pair.key) + " is not an input, so its value is not used.",
            near ? "Did you mean " + std::string(scope) + std::string(near->key) + " (" +
                       std::string(near->label) + ")?"
                 : "Leave it out; `envelope fields` lists the inputs.",
            pair.value);
  }

  /// `x=n,64,4096`, `y=tp`, `z=cost.total`.
  void chart(char name, const Pair& pair) {
    const std::string key = lower_case(pair.value);
    const auto refuse = [&](std::string_view code, std::string_view what) {
      problem(std::string(1, name), Severity::error, code,
              quoted(pair.value) + std::string(what) + ", so the chart is drawn without it.",
              "Leave it out, and choose on the page.", pair.value);
    };
    if (name == 'z') {
      for (const Metric& m : metrics())
        if (m.id == pair.value || in_link(m.id) == key) link.chart.metric = &m;
      if (!link.chart.metric) refuse("unknown_metric", " is not a result");
      return;
    }
    const std::size_t first = key.find(','), second = key.find(',', first + 1);
    const std::string_view word = std::string_view(key).substr(0, first);
    ChartKeys::Side side{field_by_key(word)};
    if (!side.field) side.field = field_by_path(word);
    if (!side.field) return refuse("unknown_field", " is not an input");
    const Field& f = *side.field;
    const auto number = [&](std::size_t from, std::size_t size, double& out) {
      return parse_number(std::string_view(key).substr(from, size), f.unit, out);
    };
    const bool ranged = first != std::string::npos;
    if (ranged && !(f.type == Type::number && second < key.size() &&
                    number(first + 1, second - first - 1, side.from) &&
                    number(second + 1, key.size(), side.to) && f.min <= side.from &&
                    side.from < side.to && side.to <= f.max)) {
      side.from = side.to = kNone;
      refuse("out_of_range", " has no range within that of the input");
    }
    (name == 'x' ? link.chart.x : link.chart.y) = side;
  }

  void read(const std::vector<Pair>& pairs) {
    const std::string* v = nullptr;
    const std::string* sides[3] = {};
    for (const Pair& pair : pairs) {
      const std::string key = lower_case(pair.key);
      std::string_view name = key, scope;
      if (key.size() > 2 && key[1] == '.' && key[0] >= 'b' && key[0] <= 'd') {
        scope = name.substr(0, 2);
        name.remove_prefix(2);
      }
      const bool is_version = key == "v", is_chart = key == "x" || key == "y" || key == "z";
      const Field* field = field_by_key(name);
      if (!field) field = field_by_path(name);
      if (!field && !is_version && !is_chart) {
        unknown(pair, scope, name);
        continue;
      }
      const std::string path = field ? std::string(scope) + std::string(field->path) : key;
      if (!pair.has_value || pair.value.empty()) {
        problem(path, Severity::error, "no_value", quoted(pair.key) + " has no value.",
                "Write " + key + "=, then the value.", "");
        continue;
      }
      const std::string* before = v;
      if (is_chart) before = sides[key[0] - 'x'];
      if (field) {
        const Value* value = find(patch(scope.empty() ? 'a' : scope[0]), field->path);
        before = value ? &std::get<std::string>(*value) : nullptr;
      }
      if (before) {
        if (*before != pair.value)
          problem(path, Severity::warning, "duplicate",
                  quoted(pair.key) + " is given more than once; the first, " + quoted(*before) +
                      ", is used.",
                  "Remove one of them.", pair.value);
      } else if (is_chart) {
        sides[key[0] - 'x'] = &pair.value;
        chart(key[0], pair);
      } else if (is_version) {
        v = &pair.value;
        version(pair.value);
      } else {
        patch(scope.empty() ? 'a' : scope[0]).emplace_back(field->path, pair.value);
      }
    }
  }
};

/// One value as a link writes it.
std::string text_in_link(const Field& field, const Value& value) {
  if (const bool* flag = std::get_if<bool>(&value)) return *flag ? "1" : "0";
  const double* number = std::get_if<double>(&value);
  if (!number || field.unit != "month") return text_of(value);
  std::string month = number_text(*number);
  return month.size() == 6 ? month.insert(4, 1, '-') : month;
}

void write(std::string& out, std::string_view scope, const Field& field, const Value& value) {
  out += '&';
  out += scope;
  out += field.key;
  out += '=';
  out += text_in_link(field, value);
}

void write(std::string& out, std::string_view scope, const Patch& patch) {
  for (const Field& field : fields()) {
    if (scope.empty() && field.key == "d") continue;  // written already
    if (const Value* value = find(patch, field.path)) write(out, scope, field, *value);
  }
}

/// The changes that make `b` when applied to `a`: first the catalog rows, then what those do not
/// bring along.
Patch changes(const Scenario& a, const Scenario& b) {
  Patch changes;
  Scenario so_far = a;
  const Field& stack = *field_by_path("stack.id");
  if (!same(stack, a, b)) {  // it brings a recipe, which then need not be named
    changes.emplace_back(stack.path, get(stack, b));
    copy(stack, b, so_far);
    choose_stack_recipe(so_far);
  }
  for (const bool selecting : {true, false}) {
    for (const Field& field : fields())
      if (((field.flags & kSelects) != 0) == selecting && !same(field, so_far, b))
        changes.emplace_back(field.path, get(field, b));
    if (selecting) {
      so_far = a;
      envelope::apply(changes, so_far);
    }
  }
  return changes;
}

}  // namespace

Link decode(std::string_view text) {
  Reader reader;
  if (text.size() > kLongest) {
    reader.problem("", Severity::error, "too_long",
                   "The link has " + std::to_string(text.size()) + " bytes; only the first " +
                       std::to_string(kLongest) + " are read.",
                   "Give long inputs as a file.", "");
    text = text.substr(0, kLongest);
  }
  reader.read(pairs_of_address(std::string(text)));
  Link link = std::move(reader.link);
  ChartKeys& chart = link.chart;
  if (!chart.x.field || chart.x.field == chart.y.field) {
    if (!chart.x.field) chart.x = chart.y;
    chart.y = {};
  }
  if (reader.more > 0)
    link.problems.push_back(
        {"", Severity::error, "too_many",
         std::to_string(reader.more) + " more parts of the link cannot be used.",
         "Check that it is a link of this page, and whole.", ""});
  std::sort(link.compare.begin(), link.compare.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  return link;
}

std::string encode(const Scenario& scenario) { return encode(scenario, {}); }

std::string encode(const ChartKeys& chart) {
  std::string out;
  const auto side = [&](const char* name, const ChartKeys::Side& s) {
    if (!s.field) return;
    out.append(name).append(s.field->key);
    if (given(s.from))
      out.append(",").append(number_text(s.from)).append(",").append(number_text(s.to));
  };
  side("&x=", chart.x);
  side("&y=", chart.y);
  if (chart.metric) out.append("&z=").append(in_link(chart.metric->id));
  return out.erase(0, 1);
}

std::string encode(const Scenario& a, const std::vector<std::pair<char, Scenario>>& others,
                   const ChartKeys& chart) {
  std::string out = "v=" + std::to_string(kDefaultsVersion);
  const Field& snapshot = *field_by_key("d");
  write(out, "", snapshot, get(snapshot, a));
  write(out, "", diff(a));
  for (const auto& [letter, scenario] : others) {
    const std::string scope = {letter, '.'};
    const std::size_t before = out.size();
    write(out, scope, changes(a, scenario));
    // A column that changes nothing is a column still.
    const Field& task = *field_by_key("task");
    if (out.size() == before) write(out, scope, task, get(task, scenario));
  }
  const std::string shown = encode(chart);
  if (!shown.empty()) out.append("&").append(shown);
  return out;
}

}  // namespace envelope

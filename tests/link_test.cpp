// SPDX-License-Identifier: MIT
// Links: what is written survives every place a link is pasted into, and what comes back is read.
#include "envelope/link.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "catch.h"
#include "envelope/catalog.h"
#include "envelope/version.h"

using namespace envelope;

namespace {

const std::string kLink = "v=1&d=2026-11&model=llama-3.1-70b&tokens=1.25e12&gpu=h200-sxm&n=8";

/// What the page shows in its address after opening `text`.
std::string canonical(std::string_view text) {
  const Link link = decode(text);
  Problems problems;
  const Scenario a = scenario_of(link.patch, problems);
  std::vector<std::pair<char, Scenario>> others;
  for (const auto& [letter, changes] : link.compare) {
    Scenario other = a;
    apply(changes, other);
    others.emplace_back(letter, other);
  }
  return encode(a, others, link.chart);
}

std::string codes(const Problems& problems) {
  std::string out;
  for (const Problem& p : problems) out += (out.empty() ? "" : " ") + std::string(p.code);
  return out;
}

bool same(const Scenario& a, const Scenario& b) {
  return std::all_of(fields().begin(), fields().end(),
                     [&](const Field& f) { return same(f, a, b); });
}

/// Knuth's MMIX generator: the same scenarios natively and in WASM.
struct Random {
  std::uint64_t state = 7;
  std::size_t below(std::size_t n) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::size_t>((state >> 33) % n);
  }
};

/// A value a person could have put into the field.
Value random_value(const Field& f, Random& random) {
  switch (f.type) {
    case Type::flag:
      return random.below(2) == 1;
    case Type::choice:
      return std::string(f.choices[random.below(f.choices.size())].id);
    case Type::name: {
      const std::vector<Row>* rows = rows_of(f);
      return rows ? (*rows)[random.below(rows->size())].id
                  : catalog().prices[random.below(catalog().prices.size())].provider;
    }
    case Type::number:
      break;
  }
  if (f.unit == "month") return snapshots()[random.below(snapshots().size())];
  if ((f.flags & kOptional) && random.below(4) == 0) return std::string("auto");
  const double low = std::max(f.min, 1e-4), high = std::min(f.max, 1e30);
  double x = low * std::pow(high / low, static_cast<double>(random.below(1000)) / 1000);
  if (f.flags & kWhole) x = std::floor(x);
  return std::clamp(x, f.min, f.max);
}

Scenario random_scenario(Random& random, unsigned percent) {
  Patch patch;
  for (const Field& f : fields())
    if (random.below(100) < percent) patch.emplace_back(f.path, random_value(f, random));
  Problems problems;
  const Scenario s = scenario_of(patch, problems);
  const std::string said = codes(problems);
  REQUIRE((said == "" || said == "missing"));  // a model known by its size needs a size
  return s;
}

/// Why `link` would not survive, or nothing.
std::string harm(const std::string& link) {
  for (const char c : link)
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
          std::string("=&.,-").find(c) != std::string::npos))
      return std::string("a character outside the alphabet: ") + c;
  const char last = link.back();
  if (!((last >= 'a' && last <= 'z') || (last >= '0' && last <= '9')))
    return "ends in a character that linkifiers cut off";
  if (link.find("&&") != std::string::npos || link.find("=&") != std::string::npos)
    return "an empty part";
  return "";
}

}  // namespace

TEST_CASE("no key is mistaken for an HTML entity that needs no semicolon") {
  // HTML standard, named character references: &para=1 in a text becomes a pilcrow. Keys have no
  // capitals, so those with capitals cannot meet them.
  const char* kEntities[] = {
      "aacute", "acirc",  "acute",  "aelig",  "agrave", "amp",    "aring",  "atilde", "auml",
      "brvbar", "ccedil", "cedil",  "cent",   "copy",   "curren", "deg",    "divide", "eacute",
      "ecirc",  "egrave", "eth",    "euml",   "frac12", "frac14", "frac34", "gt",     "iacute",
      "icirc",  "iexcl",  "igrave", "iquest", "iuml",   "laquo",  "lt",     "macr",   "micro",
      "middot", "nbsp",   "not",    "ntilde", "oacute", "ocirc",  "ograve", "ordf",   "ordm",
      "oslash", "otilde", "ouml",   "para",   "plusmn", "pound",  "quot",   "raquo",  "reg",
      "sect",   "shy",    "sup1",   "sup2",   "sup3",   "szlig",  "thorn",  "times",  "uacute",
      "ucirc",  "ugrave", "uml",    "uuml",   "yacute", "yen",    "yuml"};
  for (const Field& f : fields())
    for (const std::string entity : kEntities) {
      INFO(f.key << " begins with " << entity);
      CHECK(f.key.substr(0, entity.size()) != entity);
    }
}

TEST_CASE("keys are short lower-case words, and none is a scope, the version or a chart's") {
  for (const Field& f : fields()) {
    INFO(f.key);
    CHECK_FALSE(f.key.empty());
    CHECK(f.key.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789") == std::string::npos);
    CHECK((f.key[0] >= 'a' && f.key[0] <= 'z'));
    for (const char* own : {"v", "x", "y", "z"}) CHECK(f.key != own);
    CHECK(f.path.find('.') > 1);  // b.gpu is column B, and no group is called b
  }
}

TEST_CASE("what a link can name is written with letters, digits, dots and dashes") {
  const auto is_slug = [](std::string_view id) {
    return !id.empty() && harm(std::string(id)).empty() &&
           id.find_first_of("=&,") == std::string_view::npos;
  };
  for (const Field& f : fields()) {
    for (const Choice& choice : f.choices) {
      INFO(f.path << ": " << choice.id);
      CHECK(is_slug(choice.id));
    }
    if (f.type != Type::name) continue;
    if (const std::vector<Row>* rows = rows_of(f))
      for (const Row& row : *rows) {
        INFO(f.path << ": " << row.id);
        CHECK(is_slug(row.id));
        CHECK(row.id.size() < sizeof(Id::text));
      }
  }
  for (const PriceRow& row : catalog().prices) {
    INFO(row.provider);
    CHECK(is_slug(row.provider));
  }
}

TEST_CASE("a link of the defaults names only the two versions") {
  Problems problems;
  CHECK(encode(scenario_of({}, problems)) == "v=1&d=2026-11");
}

TEST_CASE("values are written in their shortest form, in the order of the table") {
  const std::vector<std::pair<Patch, const char*>> kCases = {
      {{{"cluster.gpus", 16384.0}, {"model.id", std::string("llama-3.1-70b")}},
       "v=1&d=2026-11&model=llama-3.1-70b&n=16384"},
      {{{"run.tokens", 15.6e12}}, "v=1&d=2026-11&tokens=15.6e12"},
      {{{"run.mfu", 0.38}}, "v=1&d=2026-11&mfu=0.38"},
      {{{"run.task", std::string("serve")}}, "v=1&d=2026-11&task=serve"},
      {{{"run.flash", false}}, "v=1&d=2026-11&flash=0"},
      {{{"serve.kv_cache", false}, {"run.task", std::string("serve")}},
       "v=1&d=2026-11&task=serve&kvcache=0"},
      {{{"model.trained_tokens", std::string("auto")}}, "v=1&d=2026-11&trained=auto"},
      {{{"run.tokens", std::string("auto")}}, "v=1&d=2026-11"},
      {{{"gpu.id", std::string("h100-sxm")}, {"run.task", std::string("pretrain")}},
       "v=1&d=2026-11"},
  };
  for (const auto& [patch, link] : kCases) {
    Problems problems;
    CHECK(encode(scenario_of(patch, problems)) == link);
    CHECK(codes(problems) == "");
  }
}

TEST_CASE("a scenario goes through its link unchanged, and the link is a fixed point") {
  Random random;
  std::size_t longest = 0;
  for (unsigned i = 0; i < 400; ++i) {
    const Scenario s = random_scenario(random, i % 2 ? 8 : 60);
    const std::string link = encode(s);
    INFO(link);
    const Link read = decode(link);
    REQUIRE(codes(read.problems) == "");
    Problems problems;
    const Scenario back = scenario_of(read.patch, problems);
    REQUIRE(codes(problems) == "");
    REQUIRE(same(s, back));
    REQUIRE(encode(back) == link);
    REQUIRE(harm(link) == "");
    longest = std::max(longest, link.size());
  }
  CHECK(longest > 300);  // else the scenarios are too tame to show anything
}

TEST_CASE("compared scenarios go through one link, each as its difference from the first") {
  Random random;
  for (unsigned i = 0; i < 100; ++i) {
    const Scenario a = random_scenario(random, 10);
    std::vector<std::pair<char, Scenario>> others = {{'b', random_scenario(random, 10)}};
    if (i % 2) others.emplace_back('c', a);
    if (i % 3 == 0) others.emplace_back('d', random_scenario(random, 40));
    const std::string link = encode(a, others);
    INFO(link);
    const Link read = decode(link);
    REQUIRE(codes(read.problems) == "");
    REQUIRE(read.compare.size() == others.size());
    for (std::size_t k = 0; k < others.size(); ++k) {
      Scenario other = a;
      apply(read.compare[k].second, other);
      REQUIRE(read.compare[k].first == others[k].first);
      REQUIRE(same(other, others[k].second));
    }
    REQUIRE(canonical(link) == link);
    REQUIRE(harm(link) == "");
  }
}

TEST_CASE("a column is written as its changes, and stays when it changes nothing") {
  CHECK(canonical("model=llama-3.1-70b&n=8&b.gpu=h200-sxm&b.n=4") ==
        "v=1&d=2026-11&model=llama-3.1-70b&n=8&b.gpu=h200-sxm&b.n=4");
  CHECK(canonical("n=8&b.n=8") == "v=1&d=2026-11&n=8&b.task=pretrain");
  CHECK(canonical("n=8&b.n=auto") == "v=1&d=2026-11&n=8&b.n=auto");
  CHECK(canonical("d.n=4&b.n=2&n=1") == "v=1&d=2026-11&n=1&b.n=2&d.n=4");
  // A has 80 layers of its own. Naming a model in B brings the layers of that model.
  CHECK(canonical("model=llama-3-8b&layers=80&b.model=llama-3-8b") ==
        "v=1&d=2026-11&model=llama-3-8b&layers=80&b.layers=32");
  CHECK(canonical("model=llama-3-8b&layers=80&b.model=llama-2-7b") ==
        "v=1&d=2026-11&model=llama-3-8b&layers=80&b.model=llama-2-7b");
  CHECK(canonical("model=llama-3-8b&layers=80&b.model=llama-2-7b&b.layers=80") ==
        "v=1&d=2026-11&model=llama-3-8b&layers=80&b.model=llama-2-7b&b.layers=80");
}

TEST_CASE("the architecture of every model in the catalog fits into a chat message") {
  // 2,000 characters is the shortest limit met (Discord); the address of the page is taken off.
  for (const Row& row : catalog().models) {
    Problems problems;
    Scenario s = scenario_of({{"model.id", row.id}}, problems);
    s.model.id = "custom";  // nothing comes from the catalog, so everything is in the link
    const std::string link = encode(s);
    INFO(row.id << ": " << link);
    CHECK(codes(problems) == "");
    CHECK(link.size() < 1900);
    CHECK(canonical(link) == link);
  }
}

TEST_CASE("a link is read in every dress it comes back in") {
  const std::string kRaw[] = {
      kLink, "https://example.org/envelope/#" + kLink, "http://localhost:8000/#" + kLink,
      "file:///home/me/envelope.html#" + kLink,
      "https://example.org/?utm_source=x&fbclid=abc#" + kLink,
      "https://example.org/?n=9#" + kLink,  // the fragment wins
      "#" + kLink, "  " + kLink + "\n", "?" + kLink, "https://example.org/?" + kLink,
      "https://example.org/?" + kLink + "&utm_source=mail&gclid=1&ref=hn",
      "https://example.org/?" + kLink + "#:~:text=llama",
      "https://example.org/?" + kLink + "#?secret=Ab9",
      "https://example.org/?" + kLink + "#results",
      "https://example.org/#" + kLink + "#?secret=AbC9",
      "https://example.org/#" + kLink + ":~:text=GPUs",
      "https://example.org/#" + kLink + "&view=card&theme=dark&edit=0",
      "https://example.org/#?" + kLink, "https://example.org/#/" + kLink,
      "https://example.org/#!" + kLink,
      // escaped by HTML, once, twice, and by number
      "https://example.org/#v=1&amp;d=2026-11&amp;model=llama-3.1-70b&amp;tokens=1.25e12"
      "&amp;gpu=h200-sxm&amp;n=8",
      "#v=1&amp;amp;d=2026-11&amp;amp;model=llama-3.1-70b&amp;amp;tokens=1.25e12"
      "&amp;amp;gpu=h200-sxm&amp;amp;n=8",
      "#v=1&#038;d=2026-11&#38;model=llama-3.1-70b&#x26;tokens=1.25e12&gpu=h200-sxm&n=8",
      "v=1&#038;d=2026-11&#038;model=llama-3.1-70b&#038;tokens=1.25e12&#038;gpu=h200-sxm&#038;n=8",
      // percent-encoded, in part, wholly and twice
      "#v%3D1%26d%3D2026-11%26model%3Dllama-3.1-70b%26tokens%3D1.25e12%26gpu%3Dh200-sxm%26n%3D8",
      "#v=1&d=2026%2D11&model=llama%2d3.1-70b&tokens=1.25e12&gpu=h200%252Dsxm&n=8",
      "https://example.org/%23v=1&d=2026-11&model=llama-3.1-70b&tokens=1.25e12&gpu=h200-sxm&n=8",
      "https%3A%2F%2Fexample.org%2F%23v%3D1%26d%3D2026-11%26model%3Dllama-3.1-70b%26"
      "tokens%3D1.25e12%26gpu%3Dh200-sxm%26n%3D8",
      // numbers as others print them
      "#v=1&d=2026-11&model=llama-3.1-70b&tokens=1.25e+12&gpu=h200-sxm&n=8",
      "?v=1&d=2026-11&model=llama-3.1-70b&tokens=1.25e 12&gpu=h200-sxm&n=8",
      "#tokens=1.25T&model=llama-3.1-70b&gpu=h200-sxm&n=8",
      "#tokens=1,250,000,000,000&model=llama-3.1-70b&gpu=h200-sxm&n=2x4",
      // what sentences, Markdown and mail leave on a link
      "https://example.org/#" + kLink + ".", "https://example.org/#" + kLink + ").",
      "https://example.org/#" + kLink + "_", "*https://example.org/#" + kLink + "*",
      "<https://example.org/#" + kLink + ">", "\"https://example.org/#" + kLink + "\",",
      "https://example.org/#" + kLink + "\u201d\u3002",
      "https://example.org/#v=1&d=2026-11&model=llama-3.1-\r\n70b&tokens=1.25e12&gpu=h200-\n"
      "sxm&n=8",
      // by hand
      "#v=1;d=2026-11;model=llama-3.1-70b;tokens=1.25e12;gpu=h200-sxm;n=8",
      "#V=1&D=2026-11&Model=Llama-3.1-70B&TOKENS=1.25E12&gpu=H200-SXM&N=8",
      "#n=8&gpu=h200-sxm&tokens=1.25e12&model=llama-3.1-70b",
      "#model.id=llama-3.1-70b&run.tokens=1.25e12&gpu.id=h200-sxm&cluster.gpus=8",
      "#&&" + kLink + "&&",
      "# v = 1 &d=2026-11&model=llama-3.1-70b&tokens=1.25e12& gpu=h200-sxm&n=8",
      kLink + "&n=8",  // the same again takes nothing away
  };
  for (const std::string& raw : kRaw) {
    INFO(raw);
    CHECK(codes(decode(raw).problems) == "");
    CHECK(canonical(raw) == kLink);
  }
}

TEST_CASE("a percent sign or superscript at the end belongs to the number") {
  CHECK(canonical("#mfu=40%") == "v=1&d=2026-11&mfu=0.4");
  CHECK(canonical("#mfu=40%25") == "v=1&d=2026-11&mfu=0.4");
  CHECK(canonical("#mfu=40%25&n=8") == "v=1&d=2026-11&mfu=0.4&n=8");
  CHECK(canonical("#compute=10\u00b2\u2075") == "v=1&d=2026-11&compute=10e24");
  CHECK(canonical("#compute=10%C2%B2%E2%81%B5") == "v=1&d=2026-11&compute=10e24");
}

TEST_CASE("nothing to read is the default scenario, without complaint") {
  for (const char* text : {"", " ", "#", "?", "&", "https://example.org/", "https://example.org/#",
                           "https://example.org/?utm_source=x", "#?secret=Ab9", "/e/", "...",
                           "https://example.org/#view=card&edit=none"}) {
    INFO(text);
    const Link link = decode(text);
    CHECK(link.patch.empty());
    CHECK(link.compare.empty());
    CHECK(codes(link.problems) == "");
  }
}

TEST_CASE("what cannot be read is said, with what was typed, and the rest is kept") {
  struct Case {
    const char *text, *code, *path, *value;
  };
  const std::vector<Case> kCases = {
      {"modle=llama-3.1-70b&n=8", "unknown_field", "modle", "llama-3.1-70b"},
      {"GPUs=8&n=8", "unknown_field", "GPUs", "8"},
      {"b.gpus=8&n=8", "unknown_field", "b.gpus", "8"},
      {"e.n=8&n=8", "unknown_field", "e.n", "8"},
      {"b.v=1&n=8", "unknown_field", "b.v", "1"},
      {"=5&n=8", "unknown_field", "", "5"},
      {"n=8&n=9", "duplicate", "cluster.gpus", "9"},
      {"n=8&cluster.gpus=9", "duplicate", "cluster.gpus", "9"},
      {"n=8&b.tp=2&b.tp=4", "duplicate", "b.cluster.tp", "4"},
      {"v=1&n=8&v=2", "duplicate", "v", "2"},
      {"n=8&tp", "no_value", "cluster.tp", ""},
      {"n=8&tp=&pp=1", "no_value", "cluster.tp", ""},
      {"v=99&n=8", "newer_version", "v", "99"},
      {"v=one&n=8", "bad_version", "v", "one"},
      {"v=0&n=8", "bad_version", "v", "0"},
      {"v=-1&n=8", "bad_version", "v", "-1"},
      {"v=1.0&n=8", "bad_version", "v", "1.0"},
      {"v=99999999999999&n=8", "bad_version", "v", "99999999999999"},
      {"k\xc3\xa4se=\xe2\x82\xac&n=8", "unknown_field", "k\xc3\xa4se", "\xe2\x82\xac"},
  };
  for (const Case& c : kCases) {
    INFO(c.text);
    const Link link = decode(c.text);
    REQUIRE(codes(link.problems) == c.code);
    const Problem& problem = link.problems[0];
    CHECK(problem.value == c.value);
    CHECK(problem.path == c.path);
    CHECK_FALSE(problem.message.empty());
    REQUIRE(find(link.patch, "cluster.gpus"));
    CHECK(std::get<std::string>(*find(link.patch, "cluster.gpus")) == "8");
  }
}

TEST_CASE("an unknown key gets the field that was probably meant") {
  const std::vector<std::pair<const char*, const char*>> kMeant = {
      {"modle=1", "model "},      {"mdoel=1", "model "},
      {"token=1", "tokens "},     {"gpus=1", "n "},
      {"global_batch=1", "gbs "}, {"cluster.gpu=1", "n "},
      {"b.gpus=1", "b.n "},       {"run.token=1", "tokens "},
      {"deadlin=1", "deadline "}, {"usd_per_gpu_hour=1", "price "},
  };
  for (const auto& [text, key] : kMeant) {
    const Link link = decode(text);
    INFO(text << ": " << link.problems.at(0).hint);
    CHECK(link.problems[0].hint.find("Did you mean " + std::string(key)) == 0);
  }
  CHECK(decode("xyzzyplugh=1").problems.at(0).hint.find("mean") == std::string::npos);
}

TEST_CASE("hostile links are read in bounded time and give text that JSON can carry") {
  const auto repeat = [](const std::string& s, std::size_t n) {
    std::string out;
    for (std::size_t i = 0; i < n; ++i) out += s;
    return out;
  };
  const std::string kHostile[] = {
      std::string("n=8\0&tp=2", 9),
      "n=%00&tp=%FF%FE",
      "\xff\xfe=\x80&n=\xc0\xaf",
      "n=\xed\xa0\x80",      // a surrogate
      "n=\xf4\x90\x80\x80",  // above the last code point
      "n=\xe2\x82",          // cut in the middle
      "%=%&%2=%2&%zz=%zz",
      "__proto__=1&constructor=2&toString=3",
      "<script>alert(1)</script>=<img src=x onerror=alert(1)>",
      "n=8\"};alert(1);//",
      "n=" + repeat("9", 60000),
      "n=1e" + repeat("9", 60000),
      "n=0." + repeat("0", 60000) + "1",
      "n=" + repeat("2^", 30000),
      "n=" + repeat("2x", 30000) + "2",
      repeat("x=1&", 20000),
      repeat("n=1&n=2&", 8000),
      repeat("#", 70000),
      repeat("&amp;", 20000),
      repeat("&amp", 100) + repeat("amp;", 15000),
      repeat("%25", 25000),
      repeat("b.", 30000) + "n=1",
      "#" + repeat("modl", 16000) + "=1",
      repeat("\xf0\x9f\x92\xa9", 20000) + "=1",
      repeat("\x80", 65536),
  };
  const auto is_utf8 = [](const std::string& s) {  // decoding and encoding again is the identity
    for (std::size_t i = 0; i < s.size();) {
      const auto first = static_cast<unsigned char>(s[i]);
      const std::size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
      if ((first >= 0x80 && first < 0xc2) || first > 0xf4 || i + size > s.size()) return false;
      std::uint32_t code = size == 1 ? first : first & (0xffu >> (size + 1));
      for (std::size_t k = 1; k < size; ++k) {
        const auto next = static_cast<unsigned char>(s[i + k]);
        if (next < 0x80 || next > 0xbf) return false;
        code = code << 6 | (next & 0x3fu);
      }
      const std::uint32_t least[] = {0, 0x80, 0x800, 0x10000};
      if (code < least[size - 1] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return false;
      i += size;
    }
    return true;
  };
  for (const std::string& text : kHostile) {
    INFO(text.substr(0, 60) << " (" << text.size() << " bytes)");
    const Link link = decode(text);
    CHECK(link.problems.size() <= 52);
    for (const Problem& p : link.problems) {
      CHECK(is_utf8(p.path + p.message + p.hint + p.value));
      CHECK(p.message.size() < 400);
    }
    for (const auto& [path, value] : link.patch) CHECK(is_utf8(std::get<std::string>(value)));
    const std::string once = canonical(text);
    CHECK(harm(once) == "");
    CHECK(canonical(once) == once);
  }
}

TEST_CASE("of a link that is too long the front is read") {
  const Link link = decode("n=8&x=" + std::string(70000, 'y') + "&tp=2");
  CHECK(codes(link.problems) == "too_long unknown_field");
  CHECK(find(link.patch, "cluster.gpus"));
  CHECK_FALSE(find(link.patch, "cluster.tp"));
}

TEST_CASE("bytes that are not UTF-8 are shown as replacement characters") {
  CHECK(decode("x\xffy=a%FFb").problems.at(0).path == "x\ufffdy");
  CHECK(decode("x\xffy=a%FFb").problems.at(0).value == "a\ufffdb");
}

TEST_CASE("links have the version of the defaults that this program knows") {
  CHECK(encode(Scenario()).find("v=" + std::to_string(kDefaultsVersion) + "&d=") == 0);
  CHECK(codes(decode("v=" + std::to_string(kDefaultsVersion)).problems) == "");
  CHECK(codes(decode("v=" + std::to_string(kDefaultsVersion + 1)).problems) == "newer_version");
}

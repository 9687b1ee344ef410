// SPDX-License-Identifier: MIT
// The order of the house: data flows down one list, and a file includes only files above it.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "catch.h"

namespace {

namespace fs = std::filesystem;

std::vector<std::string> words(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

/// A file may include those before it.
const std::vector<std::string> kOrder = words(R"(
  version units math decimal value problem prose packed scenario fields embedded json catalog patch rules
  repairs ledger sources metrics formats layers shape adapters architecture weights kv compute activations memory
  ranks ranks_explain physics network operations operations_explain schedule timeline step step_explain bands
  serve_memory serve_memory_explain pace layout time goodput serving cost scaling estimate calibrate
  least family solve findings link sweep search trial chart sensitivity planner budget replays hf_reader hf_families hf_config
  launch_text launch_job launch_megatron launch_train launch_tune launch_serve launch api csv columns plan predict
  validate study
)");

struct Source {
  std::string file;  // "link.cpp"
  std::string noun;  // "link"
  std::string text;
};

std::vector<Source> core_sources() {
  std::vector<Source> sources;
  for (const auto& entry :
       fs::directory_iterator(fs::path(ENVELOPE_SOURCE_DIR) / "core/envelope")) {
    std::ifstream in(entry.path());
    sources.push_back({entry.path().filename().string(),
                       entry.path().stem().string(),
                       {std::istreambuf_iterator<char>(in), {}}});
  }
  return sources;
}

std::ptrdiff_t place(const std::string& noun) {
  return std::find(kOrder.begin(), kOrder.end(), noun) - kOrder.begin();
}

std::vector<std::string> matches(const std::string& text, const char* pattern) {
  const std::regex regex(pattern);
  std::vector<std::string> found;
  for (std::sregex_iterator it(text.begin(), text.end(), regex), end; it != end; ++it)
    found.push_back((*it)[1]);
  return found;
}

// Words inside comments and strings are prose.
std::string code_of(const std::string& text) {
  static const std::regex prose(R"re(//[^\n]*|"(?:[^"\\\n]|\\.)*")re");
  return std::regex_replace(text, prose, "");
}

// Without unnamed namespaces, whose names are the file's own. Comments show where each ends.
std::string without_hidden(std::string text) {
  for (std::size_t at; (at = text.find("\nnamespace {\n")) != std::string::npos;) {
    const std::size_t end = text.find("\n}  // namespace\n", at);
    text.erase(at, end == std::string::npos ? end : end - at);
  }
  return text;
}

}  // namespace

TEST_CASE("every file of the core has a place in the order, and every place a file") {
  std::vector<bool> seen(kOrder.size());
  for (const Source& source : core_sources()) {
    INFO(source.file);
    const std::ptrdiff_t at = place(source.noun);
    REQUIRE(at < std::ssize(kOrder));
    seen[static_cast<std::size_t>(at)] = true;
  }
  for (std::size_t i = 0; i < kOrder.size(); ++i) {
    INFO(kOrder[i]);
    CHECK(seen[i]);
  }
}

TEST_CASE("a file of the core includes only files above it") {
  for (const Source& source : core_sources()) {
    for (const std::string& included : matches(source.text, R"(#include "envelope/(\w+)\.h")")) {
      INFO(source.file << " includes " << included << ".h");
      const bool own_header = source.file == included + ".cpp";
      CHECK((own_header || place(included) < place(source.noun)));
    }
    INFO(source.file << " includes a file of the project without its folder");
    CHECK(matches(source.text, R"(#include "(?!envelope/)([^"]*)\")").empty());
  }
}

TEST_CASE("only json.cpp knows the JSON library") {
  for (const Source& source : core_sources()) {
    INFO(source.file);
    CHECK((source.text.find("nlohmann") != std::string::npos) == (source.file == "json.cpp"));
  }
}

TEST_CASE("the core throws nothing and computes in doubles only") {
  for (const Source& source : core_sources()) {
    INFO(source.file);
    CHECK(matches(code_of(source.text), R"(\b(throw|try|catch|float)\b)").empty());
  }
}

TEST_CASE("powers, logarithms and exponentials go through math.h") {
  for (const Source& source : core_sources()) {
    if (source.noun == "math") continue;
    INFO(source.file);
    CHECK(matches(code_of(source.text), R"(\bstd::(pow|exp|exp2|log|log2|log10)\()").empty());
  }
}

// Two of one name in one namespace are one type to the linker, which takes either's functions for
// both.
TEST_CASE("no two files of the core define a type of one name") {
  std::map<std::string, std::string> file_of;
  for (const Source& source : core_sources()) {
    const std::string code = without_hidden(source.text);
    // At the left margin: outside of classes and functions.
    for (const std::string& name :
         matches(code, R"(\n(?:struct|class|enum class|union) (\w+)\b(?!::)[^;\n(]*\{)")) {
      INFO(name << " in " << source.file << " and " << file_of[name]);
      CHECK(file_of[name].empty());
      file_of[name] = source.file;
    }
  }
  CHECK(file_of.size() > 150);
}

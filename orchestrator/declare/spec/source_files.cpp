#include "orchestrator/declare/spec/source_files.hpp"

#include "orchestrator/base/file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <unistd.h>

namespace bailey {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxSpecBytes = 1024U * 1024;
constexpr std::size_t kMaxProgramBytes = 256U * 1024;
constexpr std::size_t kMaxFiles = 10'000;

class Collector {
 public:
  Collector(BundleSources& sources, Diagnostics& diagnostics)
      : sources_(sources), diagnostics_(diagnostics) {}

  void add(const fs::path& path) {
    std::error_code error;
    const auto status = fs::status(path, error);
    if (error || !fs::exists(status)) {
      say("spec.unreadable", "Cannot be read", "There is no such file or folder.", path);
    } else if (fs::is_directory(status)) {
      root_ = fs::canonical(path, error);
      shown_ = path;
      const auto before = sources_.specs.size();
      folder(path, 0);
      if (sources_.specs.size() == before && !failed_) {
        say("spec.no-specs", "No specs", "There is no file \"*.yaml\" or \"*.yml\" in this folder.",
            path);
      }
    } else if (fs::is_regular_file(status)) {
      spec(path);
    } else {
      say("spec.unreadable", "Cannot be read", "This is neither a file nor a folder.", path);
    }
  }

  [[nodiscard]] bool failed() const noexcept { return failed_; }

 private:
  void say(const char* code, const char* summary, std::string detail, const fs::path& path) {
    failed_ = true;
    diagnostics_.add({Severity::Error,
                      code,
                      summary,
                      std::move(detail),
                      SourceRange{path.string(), 0, 0, 1},
                      {},
                      {}});
  }

  static bool is_spec(const fs::path& path) {
    return path.extension() == ".yaml" || path.extension() == ".yml";
  }

  void folder(const fs::path& path, int depth) {
    if (depth > 32) {
      say("spec.unreadable", "Cannot be read", "Folders are nested too deeply.", path);
      return;
    }
    std::vector<fs::path> entries;
    std::error_code error;
    for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
      if (!it->path().filename().string().starts_with('.')) entries.push_back(it->path());
    }
    if (error) {
      say("spec.unreadable", "Cannot be read", error.message() + ".", path);
      return;
    }
    std::sort(entries.begin(), entries.end());
    for (const auto& entry : entries) one(entry, depth);
  }

  // A link may point to another place of the same folder, and nowhere else.
  bool stays_inside(const fs::path& path) {
    std::error_code error;
    const auto target = fs::canonical(path, error);
    if (error) return false;
    const auto relative = target.lexically_relative(root_);
    return !relative.empty() && *relative.begin() != "..";
  }

  void one(const fs::path& path, int depth) {
    std::error_code error;
    if (fs::is_symlink(fs::symlink_status(path, error)) && !stays_inside(path)) {
      say("spec.link-outside", "Link out of the folder",
          "This link leads out of the folder: what it points to would not be part of the bundle.",
          path);
      return;
    }
    const auto status = fs::status(path, error);
    if (++files_ > kMaxFiles) {
      if (files_ == kMaxFiles + 1) {
        say("spec.too-many-files", "Too many files",
            fmt::format("A bundle has at most {} files.", kMaxFiles), path);
      }
    } else if (fs::is_directory(status)) {
      folder(path, depth + 1);
    } else if (!fs::is_regular_file(status)) {
      return;
    } else if (is_spec(path)) {
      spec(path);
    } else if (::access(path.c_str(), X_OK) == 0) {
      program(path);
    }
  }

  void spec(const fs::path& path) {
    auto text = read_file(path, kMaxSpecBytes);
    if (!text) {
      say(text.error().kind() == ErrorKind::InvalidArgument ? "yaml.too-large" : "spec.unreadable",
          "Cannot be read", text.error().message() + ".", path);
      return;
    }
    sources_.specs.push_back({path.string(), std::move(*text)});
  }

  void program(const fs::path& path) {
    auto bytes = read_file(path, kMaxProgramBytes);
    if (!bytes) {
      say(bytes.error().kind() == ErrorKind::InvalidArgument ? "spec.program-too-large"
                                                             : "spec.unreadable",
          "Cannot be read", bytes.error().message() + ".", path);
      return;
    }
    const auto name = path.lexically_relative(shown_).generic_string();
    const auto [found, fresh] = sources_.programs.emplace(name, *bytes);
    if (fresh || found->second == *bytes) return;
    say("spec.duplicate-program", "Duplicate program",
        fmt::format("Another folder has a different program \"{}\".", name), path);
  }

  BundleSources& sources_;
  Diagnostics& diagnostics_;
  fs::path root_;
  fs::path shown_;
  std::size_t files_ = 0;
  bool failed_ = false;
};

}  // namespace

SourceLookup BundleSources::lookup() const {
  std::map<std::string, std::string, std::less<>> texts;
  for (const auto& file : specs) texts.emplace(file.path, file.text);
  return [texts = std::move(texts)](std::string_view file) -> std::optional<std::string> {
    const auto found = texts.find(file);
    if (found == texts.end()) return std::nullopt;
    return found->second;
  };
}

std::optional<BundleSources> collect_sources(const std::vector<fs::path>& paths,
                                             Diagnostics& diagnostics) {
  BundleSources sources;
  Collector collector(sources, diagnostics);
  for (const auto& path : paths) collector.add(path);
  if (collector.failed()) return std::nullopt;
  return sources;
}

}  // namespace bailey

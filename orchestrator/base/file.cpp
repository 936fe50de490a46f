#include "orchestrator/base/file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace bailey {

namespace {

namespace fs = std::filesystem;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }
  [[nodiscard]] int get() const noexcept { return fd_; }
  int close() noexcept {
    const int fd = std::exchange(fd_, -1);
    return fd < 0 ? 0 : ::close(fd);
  }

 private:
  int fd_;
};

tl::unexpected<Error> file_error(const char* act, const fs::path& path, int code) {
  const auto kind = code == ENOENT   ? ErrorKind::NotFound
                    : code == EACCES ? ErrorKind::PermissionDenied
                                     : ErrorKind::Io;
  return fail(kind, fmt::format("cannot {} {}: {}", act, path.string(),
                                std::generic_category().message(code)));
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

}  // namespace

Result<std::string> read_file(const fs::path& path, std::size_t max_bytes) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return file_error("read", path, errno);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return file_error("read", path, errno);
  if (S_ISDIR(info.st_mode)) return file_error("read", path, EISDIR);
  std::string bytes;
  char buffer[64 * 1024];
  for (;;) {
    const ssize_t count = ::read(file.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return file_error("read", path, errno);
    if (count == 0) return bytes;
    bytes.append(buffer, static_cast<std::size_t>(count));
    if (bytes.size() > max_bytes) {
      return fail(ErrorKind::InvalidArgument,
                  fmt::format("{} is larger than {} bytes", path.string(), max_bytes));
    }
  }
}

Status write_file(const fs::path& path, std::string_view bytes, unsigned mode) {
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  std::string temporary = (folder / ("." + path.filename().string() + ".XXXXXX")).string();
  Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (file.get() < 0) return file_error("write", path, errno);
  const bool written = ::fchmod(file.get(), mode) == 0 && write_all(file.get(), bytes) &&
                       ::fsync(file.get()) == 0 && file.close() == 0 &&
                       ::rename(temporary.c_str(), path.c_str()) == 0;
  if (!written) {
    const int code = errno;
    ::unlink(temporary.c_str());
    return file_error("write", path, code);
  }
  const Descriptor parent(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (parent.get() < 0 || ::fsync(parent.get()) != 0) return file_error("write", path, errno);
  return {};
}

Status write_private_file(const fs::path& path, std::string_view bytes) {
  return write_file(path, bytes, 0600);
}

Result<Secret> read_private_file(const fs::path& path, std::size_t max_bytes) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return file_error("read", path, errno);
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return fail(Error(ErrorKind::PermissionDenied,
                      fmt::format("{} can be read by others than its owner", path.string()))
                    .with_hint(fmt::format("chmod 600 {}", path.string())));
  }
  auto bytes = read_file(path, max_bytes);
  if (!bytes) return fail(std::move(bytes.error()));
  return Secret(*std::move(bytes));
}

Result<TemporaryFolder> TemporaryFolder::create(std::string_view prefix) {
  const char* base = std::getenv("TMPDIR");
  std::string pattern =
      fmt::format("{}/{}.XXXXXX", base != nullptr && *base != '\0' ? base : "/tmp", prefix);
  if (::mkdtemp(pattern.data()) == nullptr) return file_error("make a folder", pattern, errno);
  return TemporaryFolder(fs::path(pattern));
}

TemporaryFolder::TemporaryFolder(TemporaryFolder&& other) noexcept
    : path_(std::exchange(other.path_, fs::path())) {}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

}  // namespace bailey

// Reads files whole.
#include "csrc/prepare/contents.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <new>

namespace bindrt::prepare {
namespace {

class Descriptor {
 public:
  // Does not wait for the writer of a pipe.
  explicit Descriptor(const char* name) noexcept : number_(::open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) {
      ::close(number_);
    }
  }

  // The length of a regular file in bytes; 0 for all else.
  std::size_t length() const noexcept {
    struct stat found{};
    const bool regular = number_ >= 0 && ::fstat(number_, &found) == 0 && S_ISREG(found.st_mode);
    return regular && found.st_size > 0 ? static_cast<std::size_t>(found.st_size) : 0;
  }

  // Whether there were exactly `size` bytes; `out` has room for one more.
  bool read_exactly(std::uint8_t* out, std::size_t size) const noexcept {
    std::size_t done = 0;
    while (done <= size) {
      const ssize_t count = ::read(number_, out + done, size + 1 - done);
      if (count < 0 && errno == EINTR) {
        continue;
      }
      if (count <= 0) {
        return count == 0 && done == size;
      }
      done += static_cast<std::size_t>(count);
    }
    return false;
  }

 private:
  int number_;
};

}  // namespace

std::optional<Contents> Contents::of(const Item& item, const Limits& limits, std::size_t most) {
  if (const auto* const bytes = std::get_if<Bytes>(&item.source)) {
    if (bytes->size == 0 || bytes->size > most || static_cast<std::int64_t>(bytes->size) > limits.max_bytes) {
      return std::nullopt;
    }
    return Contents(reinterpret_cast<const std::uint8_t*>(bytes->data), bytes->size);
  }
  const auto* const path = std::get_if<Path>(&item.source);
  if (path == nullptr || path->name.find('\0') != std::string::npos) {
    return std::nullopt;
  }
  const Descriptor file(path->name.c_str());
  const std::size_t size = file.length();
  if (size == 0 || size > most) {
    return std::nullopt;
  }
  std::unique_ptr<std::uint8_t[]> read(new (std::nothrow) std::uint8_t[size + 1]);
  if (read == nullptr || !file.read_exactly(read.get(), size)) {
    return std::nullopt;
  }
  Contents contents(read.get(), size);
  contents.read_ = std::move(read);
  return contents;
}

}  // namespace bindrt::prepare

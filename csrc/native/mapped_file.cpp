// The system's calls behind MappedFile.
#include "csrc/native/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace bindrt::native {

MappedFile::MappedFile(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat found{};
  if (file < 0 || ::fstat(file, &found) != 0) {
    const int error = errno;
    if (file >= 0) {
      ::close(file);
    }
    throw std::system_error(error, std::generic_category(), path);
  }
  size_ = found.st_size;
  void* const at =
      size_ > 0 ? ::mmap(nullptr, static_cast<std::size_t>(size_), PROT_READ, MAP_SHARED, file, 0) : nullptr;
  const int error = errno;
  ::close(file);
  if (at == MAP_FAILED) {
    throw std::system_error(error, std::generic_category(), path);
  }
  data_ = static_cast<const std::uint8_t*>(at);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) {
    ::munmap(const_cast<std::uint8_t*>(data_), static_cast<std::size_t>(size_));
  }
}

void MappedFile::release() const noexcept {
  if (data_ != nullptr) {
    ::madvise(const_cast<std::uint8_t*>(data_), static_cast<std::size_t>(size_), MADV_DONTNEED);
  }
}

}  // namespace bindrt::native

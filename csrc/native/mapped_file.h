// A file of a bundle, mapped to be read.
#pragma once

#include <cstdint>
#include <string>

namespace bindrt::native {

class MappedFile {
 public:
  // Throws std::system_error.
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::uint8_t* data() const noexcept { return data_; }
  std::int64_t size() const noexcept { return size_; }

  // Gives back the memory of what was read; what is read again comes from the file again.
  void release() const noexcept;

 private:
  const std::uint8_t* data_ = nullptr;
  std::int64_t size_ = 0;
};

}  // namespace bindrt::native

// Rows of a JPEG straight into the resize: no picture in memory, and little is decoded outside the part
// that is wanted. Whatever is unusual or damaged is left to Pillow, which uses the same library.
#pragma once

#include <csetjmp>
#include <cstddef>
#include <cstdint>

#include "csrc/jpeg/library.h"
#include "kernels/image/image.h"

namespace bindrt::jpeg {

class Rows final : public kernels::RowSource {
 public:
  // `data` must stay until the end.
  Rows(const Library& library, const std::uint8_t* data, std::size_t size) noexcept;
  ~Rows() override;

  // Each returns false if this file is not for us; then nothing but the destructor may be called.

  // Reads the header: 8 bits of grey or three colours.
  bool open() noexcept;
  std::int32_t width() const noexcept { return static_cast<std::int32_t>(state_.image_width); }
  std::int32_t height() const noexcept { return static_cast<std::int32_t>(state_.image_height); }
  kernels::PixelLayout layout() const noexcept;

  // Then begins to decode the window.
  bool start(const kernels::ImageWindow& window) noexcept;

  bool next(std::int32_t count, const std::uint8_t** rows) noexcept override;

  // Reads what is left, to know that the file is whole.
  bool finish() noexcept;

 private:
  template <class Work>
  bool guarded(Work work) noexcept;
  void crop(const kernels::ImageWindow& window);
  void skip_to(std::uint32_t row);
  void read(std::uint8_t* row);
  [[noreturn]] static void give_up(Decompress* state);
  static void on_message(Decompress* state, int level);
  static void skip_input(Decompress* state, long count);

  const Library& library_;
  const std::uint8_t* data_;
  std::size_t size_;
  ErrorManager error_{};
  SourceManager source_{};
  Decompress state_{};
  std::jmp_buf jump_;
  bool created_ = false;
  std::uint8_t* buffer_ = nullptr;  // kBlock rows of pitch_ bytes
  std::size_t pitch_ = 0;
  std::ptrdiff_t offset_ = 0;  // where the window's first column lies in a row
};

// A file's bytes as the vision encoder's input, [3, frames, 224, 224] numbers of `type`. False, with `out`
// undefined, if the file has more pixels, or is unusual or damaged.
bool read_input(const Library& library, const std::uint8_t* data, std::size_t size, std::int64_t max_pixels,
                kernels::OutType type, void* out, std::int32_t frames = 1) noexcept;

}  // namespace bindrt::jpeg

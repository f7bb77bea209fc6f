// The pixels of a PNG straight into the resize, row by row, in a layout that it knows. Whatever is unusual or
// damaged is left to Pillow.
#pragma once

#include <cstddef>
#include <cstdint>

#include "csrc/png/file.h"
#include "csrc/png/library.h"
#include "csrc/png/rows.h"
#include "kernels/image/image.h"

namespace bindrt::png {

// A window of the picture. Samples of 16 bits are their upper 8; alpha is dropped. One at a time on a thread.
class Picture final : public kernels::RowSource {
 public:
  // `file` must stay until the end.
  explicit Picture(const File& file) noexcept;

  kernels::PixelLayout layout() const noexcept;

  // Unpacks the pixels, and goes to the window's first row. False if the file is damaged, or there is no
  // memory.
  bool start(const Library& library, const kernels::ImageWindow& window) noexcept;

  bool next(std::int32_t count, const std::uint8_t** rows) noexcept override;

  // Whether the rows that were not asked for are sound.
  bool finish() const noexcept { return rows_.finish(); }

 private:
  std::int32_t made_bytes() const noexcept { return kernels::pixel_bytes(layout()); }
  bool in_place() const noexcept { return file_.palette == nullptr && made_bytes() == file_.pixel_bytes(); }
  bool look_up(const std::uint8_t* row, std::uint8_t* made) const noexcept;
  void take(const std::uint8_t* row, std::uint8_t* made) const noexcept;

  const File& file_;
  Rows rows_;
  kernels::ImageWindow window_{};
  std::uint8_t* buffer_ = nullptr;  // rows, where they are not as the file has them
  std::size_t pitch_ = 0;
};

// A file's bytes as the vision encoder's input, [3, frames, 224, 224] numbers of `type`. False, with `out`
// undefined, if the file has more pixels, is grey of 16 bits, unusual or damaged.
bool read_input(const Library& library, const std::uint8_t* data, std::size_t size, std::int64_t max_pixels,
                kernels::OutType type, void* out, std::int32_t frames = 1) noexcept;

}  // namespace bindrt::png
